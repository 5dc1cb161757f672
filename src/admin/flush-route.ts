import { setTimeout as sleep } from "node:timers/promises";
import type { FastifyInstance } from "fastify";
import { ColdpathError } from "../base/errors.js";
import { SECOND_MS } from "../base/units.js";
import type { Recorder, RecorderStats } from "../recorder.js";
import { Parameters } from "./parameters.js";

/** Seconds that a caller waits unless it says otherwise, and at most. */
const WAIT_SECONDS = 10;
const WAIT_SECONDS_MAX = 60;

/** What became of the rows that were held when a flush was asked for. */
export interface FlushAnswer {
  /** Whether the fate of all of them is known: stored, dropped or in the dead letters. */
  readonly done: boolean;
  readonly seconds: number;
  /** By table: rows held then, those of earlier starts included, and how many of them at most are left. Tables that held none are left out. */
  readonly tables: Readonly<Record<string, { readonly held: number; readonly left: number }>>;
}

/** `POST /api/flush` sends at once what is held, with `?table=TABLE` of one table; answers when it is through, or after `?wait=SECONDS`. */
export function flushRoute(app: FastifyInstance, recorder: Pick<Recorder, "flush" | "stats">): void {
  app.post("/api/flush", async ({ query }) => {
    const parameters = new Parameters(query, ["table", "wait"]);
    const table = parameters.one("table");
    const seconds = waitOf(parameters.one("wait"));
    const startedAt = performance.now();
    const flushed = recorder.flush(table);
    const held = heldRows(recorder.stats(), table);
    const isDone = await doneWithin(flushed, seconds * SECOND_MS);
    const left = isDone ? new Map<string, number>() : heldRows(recorder.stats(), table);
    const tables = [...held].map(([name, rows]) => [
      name,
      { held: rows, left: Math.min(rows, left.get(name) ?? 0) },
    ]);
    return {
      done: isDone,
      seconds: (performance.now() - startedAt) / SECOND_MS,
      tables: Object.fromEntries(tables),
    } satisfies FlushAnswer;
  });
}

function waitOf(text: string | undefined): number {
  if (text === undefined) return WAIT_SECONDS;
  const seconds = text.trim() === "" ? Number.NaN : Number(text);
  if (seconds >= 0 && seconds <= WAIT_SECONDS_MAX) return seconds;
  throw new ColdpathError("USAGE", `wait=${text}: expected seconds, from 0 to ${WAIT_SECONDS_MAX}`);
}

function heldRows({ tables }: RecorderStats, table: string | undefined): Map<string, number> {
  const rows = new Map<string, number>();
  for (const [name, { pending, inherited }] of Object.entries(tables)) {
    const held = pending.rows + inherited.pending;
    if (held > 0 && (table === undefined || name === table)) rows.set(name, held);
  }
  return rows;
}

async function doneWithin(flushed: Promise<void>, ms: number): Promise<boolean> {
  const timer = new AbortController();
  // Stopped by the flush: then nobody waits for it.
  const late = sleep(ms, false, { signal: timer.signal }).catch(() => false);
  try {
    return await Promise.race([flushed.then(() => true), late]);
  } finally {
    timer.abort();
    // A recorder that closes later ends it with an error, which its report tells.
    flushed.catch(() => {});
  }
}
