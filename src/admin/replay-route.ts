import { randomUUID } from "node:crypto";
import type { FastifyInstance } from "fastify";
import type { Recorder, Replay } from "../recorder.js";

/** Replays that can still be asked for: beyond that the oldest are forgotten. */
const REPLAYS_KEPT = 100;

/** `POST /api/replay` tries at once what waits in the log, with `?without=TABLE.COLUMN` without that column; `GET /api/replay/ID` tells how far those rows are. */
export function replayRoute(app: FastifyInstance, recorder: Pick<Recorder, "replay" | "leaveOut">): void {
  const replays = new Map<string, Replay>();
  app.post<{ Querystring: { without?: string | string[] } }>("/api/replay", async ({ query }) => {
    for (const place of [query.without ?? []].flat()) {
      const at = place.indexOf(".");
      await recorder.leaveOut(place.slice(0, Math.max(at, 0)), place.slice(at + 1));
    }
    const id = randomUUID();
    const replay = recorder.replay();
    replays.set(id, replay);
    if (replays.size > REPLAYS_KEPT) replays.delete(replays.keys().next().value!);
    return { id, ...replay.progress };
  });
  app.get<{ Params: { id: string } }>("/api/replay/:id", ({ params: { id } }, reply) => {
    const replay = replays.get(id);
    if (replay !== undefined) return { id, ...replay.progress };
    return reply
      .code(404)
      .send({ error: { message: `there is no replay ${id}: the service was restarted` } });
  });
}
