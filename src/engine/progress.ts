import { setTimeout as delay } from "node:timers/promises";
import type { Sessions } from "./sessions.js";

/** How far a running statement has come. */
export interface Progress {
  readonly readRows: number;
  readonly readBytes: number;
  /** As the engine estimates it. */
  readonly totalRows: number;
  readonly elapsedNs: number;
}

/** As servers do by `http_headers_progress_interval_ms`. */
const INTERVAL_MS = 100;

/**
 * Looks at a running statement again and again.
 *
 * @param mark condition on `system.processes` that holds for the statement alone
 * @param see takes what was found; returns whether to look again
 */
export async function watchProgress(
  sessions: Sessions,
  mark: string,
  see: (progress: Progress | undefined) => boolean,
): Promise<void> {
  let goesOn = true;
  while (goesOn) {
    await delay(INTERVAL_MS);
    goesOn = see(await sample(sessions, mark));
  }
}

async function sample(sessions: Sessions, mark: string): Promise<Progress | undefined> {
  const columns = "read_rows, read_bytes, total_rows_approx, toUInt64(elapsed * 1e9)";
  const result = await sessions.query(`SELECT ${columns} FROM system.processes WHERE ${mark} LIMIT 1`);
  const line = Buffer.from(result.bytes()).toString().trim();
  if (line === "") return undefined;
  const [readRows = 0, readBytes = 0, totalRows = 0, elapsedNs = 0] = line.split("\t").map(Number);
  return { readRows, readBytes, totalRows, elapsedNs };
}

/** Value of `X-ClickHouse-Progress`. */
export function progressText({ readRows, readBytes, totalRows, elapsedNs }: Progress): string {
  return JSON.stringify({
    read_rows: String(readRows),
    read_bytes: String(readBytes),
    total_rows_to_read: String(totalRows),
    elapsed_ns: String(elapsedNs),
  });
}
