import { BroadcastChannel } from "node:worker_threads";

/** The pipeline's worker, which dies when it is told to over a channel of this name. */
const channel = new BroadcastChannel("coldpath-test-crash");
channel.onmessage = () => {
  throw new Error("told to die");
};
(channel as unknown as { unref(): void }).unref();
await import("../../src/sdk/pipeline-worker.js");
