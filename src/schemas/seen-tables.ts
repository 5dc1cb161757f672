import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { Table } from "./table.js";

/** Writes down how the live tables are, for a start while ClickHouse is away. @throws the system's error */
export async function rememberTables(path: string, tables: readonly Table[]): Promise<void> {
  const text = `${JSON.stringify(tables)}\n`;
  if ((await textOf(path)) === text) return;
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await writeFile(`${path}.new`, text, { mode: 0o600, flush: true });
  await rename(`${path}.new`, path);
}

/** How the live tables were when they were last seen; none if they never were. @throws the system's error */
export async function recallTables(path: string): Promise<readonly Table[]> {
  const text = await textOf(path);
  return text === undefined ? [] : (JSON.parse(text) as Table[]);
}

async function textOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
