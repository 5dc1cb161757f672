import { realpathSync } from "node:fs";
import type { FastifyInstance } from "fastify";
import { ColdpathError } from "../base/errors.js";
import type { Recorder } from "../recorder.js";
import { Parameters } from "./parameters.js";

type Log = NonNullable<Recorder["log"]>;

/**
 * `POST /api/wal/repair` looks through the closed segments of the log and puts aside what is damaged, `?dryRun=true` only tells;
 * `POST /api/wal/purge` removes segments of which nothing is needed, with `?force=true` what is pending, too.
 */
export function walRoutes(app: FastifyInstance, recorder: Pick<Recorder, "log">): void {
  app.post("/api/wal/repair", async ({ query }) => {
    const parameters = new Parameters(query, ["dryRun", "dir"]);
    const isDry = isSet("dryRun", parameters);
    const damage = await logNamed(recorder, parameters.one("dir")).repair(isDry);
    // The segment that is written to stays open, and nothing is torn while it is.
    return { dryRun: isDry, closed: [], damage, torn: [] };
  });
  app.post("/api/wal/purge", async ({ query }) => {
    const parameters = new Parameters(query, ["force", "dir"]);
    const forced = isSet("force", parameters);
    return { forced, ...(await logNamed(recorder, parameters.one("dir")).purge(forced)) };
  });
}

/**
 * The recorder's log, if it is the one in that folder, or none is named.
 * @throws ColdpathError WAL_ABSENT if it has none, WAL_LOCKED if it has another
 */
export function logNamed({ log }: Pick<Recorder, "log">, dir: string | undefined): Log {
  if (log === undefined) throw new ColdpathError("WAL_ABSENT", "this recorder has no log");
  if (dir === undefined || realOf(dir) === realOf(log.dir)) return log;
  throw new ColdpathError("WAL_LOCKED", `the log of this service is in ${log.dir}, not in ${dir}`);
}

function realOf(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    // Not there: then it is no log of ours either.
    return undefined;
  }
}

function isSet(name: string, parameters: Parameters): boolean {
  const text = parameters.one(name);
  if (text === undefined || text === "false") return false;
  if (text === "true") return true;
  throw new ColdpathError("USAGE", `${name}=${text}: expected true or false`);
}
