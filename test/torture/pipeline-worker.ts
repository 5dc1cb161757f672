import { BroadcastChannel } from "node:worker_threads";
import { weaken } from "./weakened.js";

/** The pipeline's thread, which dies when it is told to, and may lack a mechanism. */
const channel = new BroadcastChannel("coldpath-torture");
channel.onmessage = () => {
  throw new Error("told to die");
};
(channel as unknown as { unref(): void }).unref();
weaken();
await import("../../src/sdk/pipeline-worker.js");
