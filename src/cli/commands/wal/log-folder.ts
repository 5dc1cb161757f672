import { resolve } from "node:path";
import type { Command } from "commander";
import { ColdpathError } from "../../../base/errors.js";
import { walFolder } from "../../../service/open.js";
import { FolderLock } from "../../../wal/lock.js";
import { surveyLog } from "../../../wal/survey.js";
import type { Context } from "../../context.js";

/** Every command about a log takes another folder than the configured one. */
export interface LogOptions {
  readonly dir?: string;
}

export function withDir(command: Command): Command {
  return command.option("--dir <folder>", "folder of the log (default: wal.dir of the configuration)");
}

export function logFolder({ dir }: LogOptions, context: Context): string {
  return resolve(dir ?? walFolder(context.load().config));
}

/**
 * Does something with a log that nobody else may use meanwhile.
 * @throws ColdpathError WAL_ABSENT, WAL_LOCKED
 */
export async function alone<T>(dir: string, work: () => T): Promise<T> {
  // A log would be made of any folder that is none.
  surveyLog(dir);
  const lock = await take(dir);
  try {
    return work();
  } finally {
    await lock.release();
  }
}

async function take(dir: string): Promise<FolderLock> {
  try {
    return await FolderLock.take(dir);
  } catch (error) {
    if (!(error instanceof ColdpathError) || error.code !== "WAL_LOCKED") throw error;
    const who = error.message.slice(0, error.message.lastIndexOf(": "));
    const message = `${who}: stop that recorder first. While it runs it mends and trims the log itself`;
    throw new ColdpathError("WAL_LOCKED", message, { cause: error });
  }
}
