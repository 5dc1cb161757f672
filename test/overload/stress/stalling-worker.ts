import { BroadcastChannel } from "node:worker_threads";
import { GapLedger } from "../../../src/gaps/gap-ledger.js";
import { LogClient, type LogClientOptions } from "../../../src/wal/log-client.js";
import { FULL_DISK_ENV, NO_GAPS_ENV, STALL_CHANNEL } from "./hooks.js";

/** The pipeline's thread, which stands still when it is told to, whose disk can be full, and which may write no gaps. */

const channel = new BroadcastChannel(STALL_CHANNEL);
channel.onmessage = (message: unknown) => {
  const { data } = message as { readonly data: number };
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, data);
};
(channel as unknown as { unref(): void }).unref();

const open = LogClient.open;
const data = { marker: process.env[FULL_DISK_ENV] };
const disk = { module: new URL("./full-disk.js", import.meta.url), data };
LogClient.open = (options: LogClientOptions) => open.call(LogClient, { ...options, disk });
if (process.env[NO_GAPS_ENV] !== undefined) GapLedger.prototype.flush = () => {};
await import("../../../src/sdk/pipeline-worker.js");
