import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ColdpathError } from "../../base/errors.js";
import { SECOND_MS } from "../../base/units.js";
import type { Config } from "../../config/schema.js";
import type { Recorder } from "../../recorder.js";
import { type OpenedClickHouse, spoolFolder, walFolder } from "../../service/open.js";
import { openRecorder } from "../../service/open-recorder.js";
import type { Context } from "../context.js";
import { counted } from "../counted.js";
import { logAt, spoolAt } from "../files-at-rest.js";
import { pauseText } from "../replay-progress.js";

const LOOK_MS = 100;
const CLOSE_DEADLINE_MS: number = 5 * SECOND_MS;

/**
 * Stores what a service that is gone left of the table in its log and spool: lines of the files may be among it, and would be stored again.
 * @throws ColdpathError BATCH_FAILED if ClickHouse does not take it
 */
export async function storeLeftovers(
  config: Config,
  opened: OpenedClickHouse,
  table: string,
  { context, signal }: { readonly context: Context; readonly signal: AbortSignal },
): Promise<void> {
  if (!hasLeftovers(config, table)) return;
  const recorder = await openUnlessHeld(config, opened);
  if (recorder === undefined) return;
  try {
    const rows = leftIn(recorder, table);
    if (rows > 0) context.note(`${counted(rows, "row")} of ${table} that a service left are stored first`);
    let isDone = false;
    // A recorder that closes ends the wait with an error, when nobody waits any more.
    recorder.replayed(table).then(
      () => {
        isDone = true;
      },
      () => {},
    );
    while (!isDone && !signal.aborted) {
      const { paused } = recorder.stats().tables[table]!;
      if (paused !== undefined)
        throw new ColdpathError(
          "BATCH_FAILED",
          `${leftIn(recorder, table)} rows of ${table} that a service left are not taken, and may be of these files: ${pauseText(paused)}`,
        );
      // Interrupted: the loop ends.
      await sleep(LOOK_MS, undefined, { signal }).catch(() => {});
    }
  } finally {
    await recorder.close({ deadlineMs: CLOSE_DEADLINE_MS });
  }
}

function leftIn(recorder: Recorder, table: string): number {
  return recorder.stats().tables[table]?.inherited.pending ?? 0;
}

function hasLeftovers(config: Config, table: string): boolean {
  if (!Object.hasOwn(config.tables, table)) return false;
  const pending = logAt(walFolder(config))?.pending[table] ?? 0;
  return pending > 0 || (spoolAt(join(spoolFolder(config), encodeURIComponent(table)))?.bytes ?? 0) > 0;
}

/** Undefined if a program records with that log: its rows are its own, and no lines of files. */
async function openUnlessHeld(config: Config, opened: OpenedClickHouse): Promise<Recorder | undefined> {
  try {
    return await openRecorder(config, opened);
  } catch (error) {
    if (error instanceof ColdpathError && error.code === "WAL_LOCKED") return undefined;
    throw error;
  }
}
