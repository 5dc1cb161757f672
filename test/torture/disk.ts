import { workerData } from "node:worker_threads";
import { seeded } from "../support/random.js";
import { PowerLossDisk } from "./power-loss-disk.js";

/** What the log's thread uses in place of the machine's disk. */

export interface DiskData {
  readonly lies: boolean;
}

/** A disk writes early now and then. */
const EARLY = 0.1;

const { lies } = (workerData as { readonly diskData: DiskData }).diskData;

export const disk: PowerLossDisk = new PowerLossDisk({ early: EARLY, random: seeded(process.pid), lies });
