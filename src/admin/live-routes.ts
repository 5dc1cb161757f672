import type { ServerResponse } from "node:http";
import type { FastifyInstance } from "fastify";
import type { Live } from "../live/live.js";
import type { RecentEvent, RecentEvents } from "../live/recent-events.js";
import { EventStreams, type Frame, frameOf } from "./event-streams.js";
import { failure } from "./failures.js";
import { SAFE_HEADERS } from "./safe-headers.js";
import type { StatusReport } from "./status-report.js";

export interface LiveRoutesOptions {
  readonly live: Pick<Live, "history" | "watch">;
  readonly events: RecentEvents;
  readonly report: () => StatusReport;
}

/** Until a reader that was cut off comes again, milliseconds. */
const RETRY_MS = 2000;
const HEADERS = {
  ...SAFE_HEADERS,
  "content-type": "text/event-stream; charset=utf-8",
  // Something in between that gathers answers would hold the stream back.
  "x-accel-buffering": "no",
} as const;

/** `GET /api/status`, `/api/history`, `/api/events`, and `/api/stream`, which tells all of it as it happens. */
export function liveRoutes(app: FastifyInstance, { live, events, report }: LiveRoutesOptions): void {
  app.get("/api/status", report);
  app.get("/api/history", () => live.history.columns);
  app.get("/api/events", () => ({ events: events.all }));

  const streams = new EventStreams();
  const unwatch = watch(streams, { live, events, report });
  app.addHook("preClose", async () => {
    for (const end of unwatch) end();
    streams.close();
  });
  // Who asks for its head alone would wait for ever.
  app.get("/api/stream", { exposeHeadRoute: false }, (request, reply) => {
    if (streams.isFull) {
      const message = "as many streams are open as may be";
      return reply.code(503).header("Retry-After", "5").send(failure(message));
    }
    const lastId = request.headers["last-event-id"];
    const missed = typeof lastId === "string" && /^\d+$/.test(lastId) ? events.since(Number(lastId)) : [];
    reply.hijack();
    const response: ServerResponse = reply.raw;
    response.writeHead(200, { ...HEADERS });
    const first = [
      Buffer.from(`retry: ${RETRY_MS}\n\n`),
      frameOf("status", report()),
      ...missed.map(eventFrame),
    ];
    streams.open(response, first);
    return reply;
  });
}

/** Sends what happens to the streams; the functions returned end that. */
function watch(streams: EventStreams, { live, events, report }: LiveRoutesOptions): (() => void)[] {
  return [
    live.watch({
      status: () => {
        if (!streams.isEmpty) streams.sendState(frameOf("status", report()));
      },
      sample: (point) => streams.send(frameOf("sample", point)),
    }),
    events.watch((event) => {
      if (!streams.isEmpty) streams.send(eventFrame(event));
    }),
  ];
}

/** After a restart of something in between, all readers come at once and ask for the same. */
const frames = new WeakMap<RecentEvent, Frame>();

function eventFrame(event: RecentEvent): Frame {
  const known = frames.get(event);
  if (known !== undefined) return known;
  const frame = frameOf("event", event, event.id);
  frames.set(event, frame);
  return frame;
}
