// A thread of its own: reading a whole log would hold up the rows that are being recorded.
import { parentPort, workerData } from "node:worker_threads";
import { ColdpathError, type ErrorCode } from "../base/errors.js";
import { type DamagedPlace, damagedPlaces } from "./damaged-places.js";

/** What the thread posts before it ends; it dies of what is no operating error. */
export type DamageFound =
  | { readonly places: readonly DamagedPlace[] }
  | { readonly code: ErrorCode; readonly message: string };

async function found(dir: string): Promise<DamageFound> {
  try {
    return { places: await damagedPlaces(dir) };
  } catch (error) {
    if (!(error instanceof ColdpathError)) throw error;
    return { code: error.code, message: error.message };
  }
}

parentPort!.postMessage(await found((workerData as { readonly dir: string }).dir));
