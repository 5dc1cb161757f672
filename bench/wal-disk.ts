import { closeSync, fdatasyncSync, fsyncSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { quantile } from "./measure.js";

/** What the disk itself gives, without a recorder: the same bytes at the same moments, written and synced by one thread that does nothing else. */

/** Milliseconds from the moment a row was meant to come until it was safe. */
export interface Latency {
  readonly rowsPerSecond: number;
  readonly rows: number;
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

/** Rows come in bursts of this distance: what a trading process offers in one turn. */
export const BURST_MS = 1;

export function latencyOf(rowsPerSecond: number, times: Float64Array): Latency {
  const values = [...times];
  return {
    rowsPerSecond,
    rows: times.length,
    p50: quantile(values, 0.5),
    p99: quantile(values, 0.99),
    p999: quantile(values, 0.999),
    max: times.reduce((most, time) => Math.max(most, time), 0),
  };
}

/** When row `n` is meant to come, milliseconds after the first. */
export function dueAt(n: number, rowsPerSecond: number): number {
  return Math.floor((n * 1000) / rowsPerSecond / BURST_MS) * BURST_MS;
}

const PREALLOCATED = 256 * 1024 * 1024;
const IDLE_MS = 0.1;
const NEVER = new Int32Array(new SharedArrayBuffer(4));

/** A file whose blocks are there already, as those of the log are. */
function withFile<T>(work: (fd: number) => T): T {
  const folder = mkdtempSync(join(tmpdir(), "coldpath-bench-disk-"));
  const fd = openSync(join(folder, "raw"), "wx+");
  try {
    const zeros = Buffer.alloc(1024 * 1024);
    for (let at = 0; at < PREALLOCATED; at += zeros.length) writeSync(fd, zeros, 0, zeros.length, at);
    fsyncSync(fd);
    return work(fd);
  } finally {
    closeSync(fd);
    rmSync(folder, { recursive: true });
  }
}

/**
 * One write and one sync of all rows that have come since the last.
 *
 * @param most rows of one sync; 1 syncs each by itself
 * @param seconds when to stop offering; rows that could not be written by twice that time are left out
 */
export function rawLatency(
  rowsPerSecond: number,
  rowBytes: number,
  seconds: number,
  most = Infinity,
): Latency {
  return withFile((fd) => {
    const rows = rowsPerSecond * seconds;
    const times = new Float64Array(rows);
    const bytes = Buffer.alloc(rowBytes * Math.min(rows, rowsPerSecond), 1);
    const begun = performance.now();
    let written = 0;
    let position = 0;
    while (written < rows && performance.now() - begun < 2000 * seconds) {
      const now = performance.now() - begun;
      let due = written;
      while (due < rows && due - written < most && dueAt(due, rowsPerSecond) <= now) due += 1;
      if (due === written) {
        Atomics.wait(NEVER, 0, 0, IDLE_MS);
        continue;
      }
      const length = Math.min(bytes.length, (due - written) * rowBytes);
      if (position + length > PREALLOCATED) position = 0;
      writeSync(fd, bytes, 0, length, position);
      fdatasyncSync(fd);
      position += length;
      const safe = performance.now() - begun;
      for (; written < due; written += 1) times[written] = safe - dueAt(written, rowsPerSecond);
    }
    return latencyOf(rowsPerSecond, times.subarray(0, written));
  });
}

/** Milliseconds of one write and sync after the other. */
export function rawSyncs(
  bytes: number,
  count: number,
): { readonly p50: number; readonly p99: number; readonly p999: number } {
  return withFile((fd) => {
    const buffer = Buffer.alloc(bytes, 1);
    const times = Array.from({ length: count }, (_, turn) => {
      const begun = performance.now();
      writeSync(fd, buffer, 0, bytes, (turn * bytes) % (PREALLOCATED - bytes));
      fdatasyncSync(fd);
      return performance.now() - begun;
    });
    return { p50: quantile(times, 0.5), p99: quantile(times, 0.99), p999: quantile(times, 0.999) };
  });
}
