import assert from "node:assert/strict";
import { BroadcastChannel } from "node:worker_threads";

/** Between the threads of a process that records. */
export const TORTURE_CHANNEL = "coldpath-torture";

/** What the threads say to each other: die now, or once more rows are in the log; say what you hold; so much. */
export type ThreadNews = "die" | "die when logged" | "weigh" | number;

/** Bytes that this thread holds, its garbage collected; needs `--expose-gc`. */
export function heldBytes(): number {
  assert.ok(gc !== undefined, "started with --expose-gc");
  gc();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** Of this thread and of the pipeline's. */
export async function heldByBoth(): Promise<number> {
  const channel = new BroadcastChannel(TORTURE_CHANNEL);
  const other = await new Promise<number>((resolve) => {
    channel.onmessage = (message: unknown) => {
      const { data } = message as { readonly data: ThreadNews };
      if (typeof data === "number") resolve(data);
    };
    channel.postMessage("weigh" satisfies ThreadNews);
  });
  channel.close();
  return heldBytes() + other;
}
