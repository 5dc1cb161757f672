import { BroadcastChannel } from "node:worker_threads";
import { LogClient } from "../../src/wal/log-client.js";
import { weaken } from "./weakened.js";
import { heldBytes, type ThreadNews, TORTURE_CHANNEL } from "./weight.js";

/** The pipeline's thread, which dies when it is told to, and may lack a mechanism. */
const channel = new BroadcastChannel(TORTURE_CHANNEL);
channel.onmessage = (message: unknown) => {
  const { data } = message as { readonly data: ThreadNews };
  if (data === "die") throw new Error("told to die");
  if (data === "die when logged") dieWhenLogged();
  if (data === "weigh") channel.postMessage(heldBytes() satisfies ThreadNews);
};
(channel as unknown as { unref(): void }).unref();
weaken();
await import("../../src/sdk/pipeline-worker.js");

/** Between log and ring: rows are on the disk, and the ring still has them. */
function dieWhenLogged(): void {
  const { append } = LogClient.prototype;
  LogClient.prototype.append = async function (records) {
    const committed = await append.call(this, records);
    if (records.some(({ kind }) => kind === "rows")) process.exit(1);
    return committed;
  };
}
