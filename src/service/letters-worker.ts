// A thread of the service: reading the log and many letters would hold up the rows that are being recorded.
import { parentPort, workerData } from "node:worker_threads";
import { ColdpathError, type ErrorCode } from "../base/errors.js";
import { ClickHouse, type ClickHouseOptions } from "../clickhouse/client.js";
import type { Config } from "../config/schema.js";
import { type Selection, selectedLetters } from "../letters/selection.js";
import type { TableRetry } from "../letters/table-retry.js";
import { deadLettersFolder } from "./open.js";
import { retryLettersOf } from "./retry-letters.js";

/** What the thread is to do; it posts {@link LettersDone} and ends, or dies of what is no operating error. */
export interface LettersWork {
  readonly config: Config;
  readonly clickhouse: ClickHouseOptions;
  readonly selection: Selection;
}

export type LettersDone =
  | { readonly retried: readonly TableRetry[] }
  | { readonly code: ErrorCode; readonly message: string };

const { config, clickhouse: options, selection } = workerData as LettersWork;
const ids = new Set<string>();
for await (const { id } of selectedLetters(deadLettersFolder(config), selection)) ids.add(id);
const clickhouse = new ClickHouse(options);
try {
  parentPort!.postMessage(await done());
} finally {
  await clickhouse.close();
}

async function done(): Promise<LettersDone> {
  if (ids.size === 0) return { retried: [] };
  try {
    // The service ends the thread where it is: a letter goes only after its row is stored.
    return { retried: await retryLettersOf(config, clickhouse, ids, new AbortController().signal) };
  } catch (error) {
    if (!(error instanceof ColdpathError)) throw error;
    return { code: error.code, message: error.message };
  }
}
