import { setTimeout as sleep } from "node:timers/promises";
import { SECOND_MS } from "../base/units.js";
import type { ReplayProgress } from "../recorder.js";
import type { ProgressLine } from "./progress-line.js";

const LOOK_MS = 100;

/**
 * Looks at a replay until nothing is pending, or all that is belongs to paused tables, or the signal aborts; shows rows left and rows a
 * second meanwhile. Gives what it saw last.
 */
export async function watchReplay(
  look: () => Promise<ReplayProgress>,
  line: ProgressLine,
  signal: AbortSignal,
): Promise<ReplayProgress> {
  const startedAt = performance.now();
  let progress = await look();
  const first = progress.pending;
  while (isUnderWay(progress) && !signal.aborted) {
    line.show(progressText(first, progress, (performance.now() - startedAt) / SECOND_MS));
    // Interrupted: the loop ends.
    await sleep(LOOK_MS, undefined, { signal }).catch(() => {});
    progress = await look();
  }
  return progress;
}

/** Why a table is paused, for people. */
export function pauseText({ code, message }: ReplayProgress["paused"][string]): string {
  return `${code}: ${message}`;
}

function isUnderWay({ pending, paused }: ReplayProgress): boolean {
  return Object.keys(pending).some((table) => paused[table] === undefined);
}

function progressText(
  first: ReplayProgress["pending"],
  { pending, paused }: ReplayProgress,
  seconds: number,
): string {
  const tables = Object.entries(pending).map(
    ([table, rows]) =>
      `${rows.toLocaleString("en-US")} rows of ${table}${paused[table] === undefined ? "" : " (paused)"}`,
  );
  const done = sum(first) - sum(pending);
  return `left: ${tables.join(", ")}; ${Math.round(done / Math.max(seconds, 0.001)).toLocaleString("en-US")} rows/s`;
}

function sum(rows: ReplayProgress["pending"]): number {
  return Object.values(rows).reduce((total, each) => total + each, 0);
}
