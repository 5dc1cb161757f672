import { ColdpathError } from "../base/errors.js";
import { FolderLock } from "../wal/lock.js";

/**
 * Runs with nobody else changing the dead letters of the folder; recorders go on adding to them.
 * @throws ColdpathError DEAD_LETTERS_LOCKED
 */
export async function alone<T>(folder: string, work: () => Promise<T>): Promise<T> {
  const lock = await FolderLock.take(folder).catch((error: unknown) => {
    if (!(error instanceof ColdpathError) || error.code !== "WAL_LOCKED") throw error;
    const message = `another command changes the dead letters in ${folder}: wait until it has ended`;
    throw new ColdpathError("DEAD_LETTERS_LOCKED", message, { cause: error });
  });
  try {
    return await work();
  } finally {
    await lock.release();
  }
}
