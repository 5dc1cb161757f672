import { BroadcastChannel } from "node:worker_threads";
import { weaken } from "./weakened.js";
import { heldBytes, type ThreadNews, TORTURE_CHANNEL } from "./weight.js";

/** The pipeline's thread, which dies when it is told to, and may lack a mechanism. */
const channel = new BroadcastChannel(TORTURE_CHANNEL);
channel.onmessage = (message: unknown) => {
  const { data } = message as { readonly data: ThreadNews };
  if (data === "die") throw new Error("told to die");
  if (data === "weigh") channel.postMessage(heldBytes() satisfies ThreadNews);
};
(channel as unknown as { unref(): void }).unref();
weaken();
await import("../../src/sdk/pipeline-worker.js");
