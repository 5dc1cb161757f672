import { type FileHandle, open, readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { OPEN_SUFFIX } from "../base/append-file.js";

/** The names in a folder; none if it is not there. */
export async function namesIn(folder: string): Promise<string[]> {
  return (await unlessMissing(readdir(folder))) ?? [];
}

/** What a file is called once it is complete. */
export function withoutOpenSuffix(name: string): string {
  return name.slice(0, -OPEN_SUFFIX.length);
}

/**
 * Resolves when what was written before the call to files of this owner is on disk, whichever thread wrote it, unless it was taken from
 * them meanwhile.
 */
export async function syncOwnFiles(folder: string, owner: string, sync = syncPath): Promise<void> {
  const entries = await unlessMissing(readdir(folder, { withFileTypes: true }));
  const tables = entries?.filter((entry) => entry.isDirectory()) ?? [];
  for (const { name: table } of tables) {
    const path = join(folder, table);
    let left = (await namesIn(path)).filter((name) => name.startsWith(owner));
    while (left.length > 0) {
      const gone: string[] = [];
      for (const name of left) if (!(await sync(join(path, name)))) gone.push(name);
      // Completed, and so under another name, or taken.
      left = gone.filter((name) => name.endsWith(OPEN_SUFFIX)).map(withoutOpenSuffix);
    }
    await sync(path);
  }
  if (tables.length > 0) for (const each of [folder, dirname(folder)]) await sync(each);
}

/** Has all that was written to this file, or folder, put on disk, whoever wrote it; false if it is not there. */
export async function syncPath(path: string): Promise<boolean> {
  const file: FileHandle | undefined = await unlessMissing(open(path));
  if (file === undefined) return false;
  try {
    await file.sync();
  } finally {
    await file.close();
  }
  return true;
}

async function unlessMissing<T>(found: Promise<T>): Promise<T | undefined> {
  try {
    return await found;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
