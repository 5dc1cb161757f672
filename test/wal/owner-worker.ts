import { workerData } from "node:worker_threads";
import { GIB, MIB } from "../../src/base/units.js";
import { LogClient } from "../../src/wal/log-client.js";
import { row } from "./log-client-rig.js";

/** A pipeline thread that dies with its log open, and something on its way to the disk. */
const { client } = await LogClient.open({
  dir: workerData as string,
  segmentBytes: MIB,
  maxBytes: GIB,
  reserveBytes: MIB,
  emergencyDisk: 0.99,
  report: () => {},
});
await client.append([row(1)]);
void client.append([row(2)]);
throw new Error("dies");
