import { randomUUID } from "node:crypto";
import type { FastifyInstance } from "fastify";
import { ColdpathError } from "../base/errors.js";
import type { Recorder, Replay } from "../recorder.js";
import { failure } from "./failures.js";
import { Parameters } from "./parameters.js";
import { logNamed } from "./wal-routes.js";

/** Replays that can still be asked for: beyond that the oldest are forgotten. */
const REPLAYS_KEPT = 100;

/** `POST /api/replay` tries at once what waits in the log, with `?without=TABLE.COLUMN` without that column; `GET /api/replay/ID` tells how far those rows are. */
export function replayRoute(
  app: FastifyInstance,
  recorder: Pick<Recorder, "replay" | "leaveOut" | "log">,
): void {
  const replays = new Map<string, Replay>();
  app.post("/api/replay", async ({ query }) => {
    const parameters = new Parameters(query, ["without", "dir"]);
    const dir = parameters.one("dir");
    if (dir !== undefined) logNamed(recorder, dir);
    const columns = parameters.all("without").map(columnOf);
    for (const [table, column] of columns) await recorder.leaveOut(table, column);
    const id = randomUUID();
    const replay = recorder.replay();
    replays.set(id, replay);
    if (replays.size > REPLAYS_KEPT) replays.delete(replays.keys().next().value!);
    return { id, ...replay.progress };
  });
  app.get<{ Params: { id: string } }>("/api/replay/:id", ({ params: { id } }, reply) => {
    const replay = replays.get(id);
    if (replay !== undefined) return { id, ...replay.progress };
    return reply.code(404).send(failure(`there is no replay ${id}: the service was restarted`));
  });
}

function columnOf(place: string): [table: string, column: string] {
  const [, table, column] = /^([^.]+)\.(.+)$/.exec(place) ?? [];
  if (table === undefined || column === undefined)
    throw new ColdpathError("USAGE", `without=${place}: expected TABLE.COLUMN`);
  return [table, column];
}
