import { once } from "node:events";
import { get, type IncomingMessage } from "node:http";
import type { Engine } from "../src/engine/engine.js";

/** How a result came. */
export interface ReadTimes {
  /** Milliseconds from the request to the first byte of the result. */
  readonly firstMs: number;
  /** To its end, or to where the reader left. */
  readonly ms: number;
  readonly bytes: number;
}

export interface ReadOptions {
  /** Default true. */
  readonly withPassword?: boolean;
  /** Leave after so many bytes. */
  readonly leaveAfter?: number;
  /** Waited for after so many bytes, again and again: a slow reader. */
  readonly pause?: { readonly everyBytes: number; readonly ms: number };
}

/** A result that takes longer is a failure of the benchmark. */
const LONGEST_MS = 300_000;

/**
 * Reads a result and throws it away, over a connection of its own. With nothing but Node's `http` in between, because a
 * dearer client would be most of what is measured.
 */
export async function readOverHttp(
  engine: Engine,
  sql: string,
  options: ReadOptions = {},
): Promise<ReadTimes> {
  const { withPassword = true, leaveAfter = Number.POSITIVE_INFINITY, pause } = options;
  const start = performance.now();
  const headers = withPassword ? { "x-clickhouse-key": engine.password } : {};
  const request = get(`${engine.url}/?${new URLSearchParams({ query: sql })}`, { headers, agent: false });
  const [answer] = (await once(request, "response")) as [IncomingMessage];
  let firstMs = Number.NaN;
  let bytes = 0;
  let pauses = 0;
  answer.on("data", (piece: Buffer) => {
    if (bytes === 0) firstMs = performance.now() - start;
    bytes += piece.length;
    if (bytes >= leaveAfter) answer.destroy();
    if (pause === undefined || bytes < (pauses + 1) * pause.everyBytes) return;
    pauses += 1;
    answer.pause();
    setTimeout(() => answer.resume(), pause.ms);
  });
  const failed = once(answer, "error").then(([error]) => {
    if (bytes < leaveAfter) throw error;
  });
  await Promise.race([once(answer, "close", { signal: AbortSignal.timeout(LONGEST_MS) }), failed]);
  if (answer.statusCode !== 200) throw new Error(`${sql}: status ${answer.statusCode}`);
  return { firstMs, ms: performance.now() - start, bytes };
}
