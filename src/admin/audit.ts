import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Logger } from "pino";
import type { RecentEvents } from "../live/recent-events.js";
import type { Recorder } from "../recorder.js";
import { reads } from "./guard.js";

const URL_CHARS = 200;
const AGENT_CHARS = 100;

export interface AuditOptions {
  readonly recorder: Pick<Recorder, "note">;
  readonly events: RecentEvents;
  readonly log: Pick<Logger, "info">;
}

/** Who asked for what, and what became of it. */
interface Entry {
  /** All who may change something have the same token. */
  readonly who: "token";
  readonly peer: string;
  readonly agent: string;
  readonly what: string;
  readonly outcome: "done" | "refused" | "failed" | "gone";
  readonly status: number;
}

/** Writes down each request that was to change something and had the token: a line of the log, a row of `system_events`, an event. */
export function audit(app: FastifyInstance, { recorder, events, log }: AuditOptions): void {
  // Behind the guard.
  app.addHook("onRequest", async (request, reply) => {
    if (!(request.routeOptions.config?.isAudited ?? !reads(request))) return;
    reply.raw.once("close", () => {
      const entry = entryOf(request, reply);
      const message = `${entry.what}: ${entry.outcome}, ${entry.status}`;
      log.info({ event: "admin", ...entry }, message);
      recorder.note({
        ts: new Date(),
        kind: "admin",
        severity: "info",
        component: "admin",
        message,
        attributes: { ...entry, status: `${entry.status}` },
      });
      events.add({ kind: "admin", level: "info", message, fields: { ...entry } });
    });
  });
}

function entryOf(request: FastifyRequest, reply: FastifyReply): Entry {
  const { statusCode: status, writableFinished } = reply.raw;
  return {
    who: "token",
    peer: request.ip,
    agent: plain(request.headers["user-agent"] ?? "", AGENT_CHARS),
    what: `${request.method} ${plain(request.url, URL_CHARS)}`,
    outcome: !writableFinished ? "gone" : status < 400 ? "done" : status < 500 ? "refused" : "failed",
    status,
  };
}

/** Written by whoever asks: no more of it than serves, and nothing that a terminal obeys. */
function plain(text: string, chars: number): string {
  return text.replace(/[^\x20-\x7e]/g, "?").slice(0, chars);
}
