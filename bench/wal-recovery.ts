import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MIB } from "../src/base/units.js";
import { nodeDisk } from "../src/wal/disk.js";
import { Log, type LogOptions } from "../src/wal/log.js";

/** How long it takes to open a log of which nothing is known to be stored. */
export interface RecoveredLog {
  readonly bytes: number;
  readonly segments: number;
  readonly frames: number;
  readonly seconds: number;
  /** Peak resident memory of the process that opened it, all of it. */
  readonly rssBytes: number;
}

/** What a busy recorder gathers in some milliseconds. */
const FRAME_ROWS = 250;
const FRAME_BYTES = 30_000;
const COMMIT_FRAMES = 16;
const TABLES = ["orders", "fills", "risk_decisions"];

function optionsOf(dir: string): LogOptions {
  return { dir, segmentBytes: 64 * MIB, reserveBytes: 0, disk: nodeDisk, now: Date.now };
}

/** Writes a log as a recorder leaves it that was killed: its last segment is open. @returns its folder */
export function writeLog(bytes: number): string {
  const dir = mkdtempSync(join(tmpdir(), "coldpath-bench-log-"));
  const { log } = Log.open(optionsOf(dir));
  const payload = Buffer.alloc(FRAME_BYTES, 7);
  const run = 0x1234_5678_9abc_def0n;
  const frames = Math.ceil(bytes / FRAME_BYTES);
  for (let frame = 0; frame < frames; frame += 1) {
    const firstSeq = 1 + Math.floor(frame / TABLES.length) * FRAME_ROWS;
    const place = { table: TABLES[frame % TABLES.length]!, partition: "2026-11-01", run, firstSeq };
    const positions = [{ producer: 1n, position: BigInt(frame) }];
    log.append({ kind: "rows", ...place, count: FRAME_ROWS, positions, group: 0n, payload });
    if (frame % COMMIT_FRAMES === 0 || frame === frames - 1) log.commit();
  }
  return dir;
}

/** Opens it as the next start does. */
export function openLog(dir: string): RecoveredLog {
  const begun = performance.now();
  const { log, recovered } = Log.open(optionsOf(dir));
  const seconds = (performance.now() - begun) / 1000;
  const rssBytes = process.resourceUsage().maxRSS * 1024;
  const bytes = recovered.segments.reduce((sum, segment) => sum + segment.bytes, 0);
  const frames = recovered.nextOrdinal - 1;
  const segments = recovered.segments.length;
  log.close();
  return { bytes, segments, frames, seconds, rssBytes };
}
