import { writeSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { Recorder } from "../recorder.js";
import { counted } from "./counted.js";

/** So long rows that are on their way to the log may take; a disk that hangs is not waited for. */
const SYNC_MS = 500;

/** Before a process ends without storing what it holds: the log gets the rows that are on their way to it, and what is left where is told. */
export async function leaveAtOnce(recorder: Pick<Recorder, "durable" | "stats">): Promise<void> {
  // A log that fails has told so already; the rows of it that no disk has are counted below.
  await Promise.race([recorder.durable().catch(() => {}), sleep(SYNC_MS)]);
  const { tables, wal, spool = {} } = recorder.stats();
  const held = sum(Object.values(tables).map(({ pending, inherited }) => pending.rows + inherited.pending));
  const logged = sum(Object.values(wal?.pending ?? {})) - (wal?.unsyncedRows ?? 0);
  const spooled = sum(Object.values(spool).map(({ rows, writing }) => rows - writing));
  const lost = Math.max(0, held - logged - spooled);
  const kept = `${counted(logged + spooled, "row")} in the log and the spool: the next start stores them`;
  const gone = lost === 0 ? "" : `; up to ${counted(lost, "row")} that were in memory alone are lost`;
  // The process ends before a stream would have written it.
  writeSync(2, `ended at once with ${kept}${gone}\n`);
}

function sum(rows: readonly number[]): number {
  return rows.reduce((all, each) => all + each, 0);
}
