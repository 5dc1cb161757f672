import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { ColdpathError } from "../base/errors.js";
import type { Config } from "../config/schema.js";
import { summarise } from "../letters/summary.js";
import { deadLettersFolder, spoolFolder, walFolder } from "../service/open.js";
import { segmentNumber } from "../wal/format.js";
import { surveyLog } from "../wal/survey.js";
import { counted } from "./counted.js";

/** What the files of a recorder hold that does not answer. */
export interface FilesAtRest {
  /** By table: rows of the log that are not known to be stored. Null if there is no log. */
  readonly log: { readonly dir: string; readonly pending: Readonly<Record<string, number>> } | null;
  /** Bytes of the segments in the spool. */
  readonly spool: { readonly dir: string; readonly bytes: number } | null;
  /** By table. */
  readonly deadLetters: Readonly<Record<string, number>>;
}

/** Looks into the files without changing them or keeping anybody out: safe beside a recorder that runs and cannot be reached, too. */
export async function filesAtRest(config: Config): Promise<FilesAtRest> {
  const letters: Record<string, number> = {};
  const { groups } = await summarise(deadLettersFolder(config), { table: undefined });
  for (const { table, letters: count } of groups) letters[table] = (letters[table] ?? 0) + count;
  return { log: logAt(walFolder(config)), spool: spoolAt(spoolFolder(config)), deadLetters: letters };
}

/** For people; undefined if there is nothing. */
export function restText({ log, spool, deadLetters: letters }: FilesAtRest): string | undefined {
  const lines: string[] = [];
  if (log !== null) {
    const tables = Object.entries(log.pending).filter(([, rows]) => rows > 0);
    const rows = tables.map(([table, count]) => `${counted(count, "row")} of ${table}`).join(", ");
    lines.push(
      `log ${log.dir}: ${rows === "" ? "nothing pending" : `${rows} pending: the next start stores them, or coldpath replay`}`,
    );
  }
  if (spool !== null && spool.bytes > 0)
    lines.push(`spool ${spool.dir}: ${spool.bytes} bytes: the next start stores what is in it`);
  const refused = Object.entries(letters).map(([table, count]) => `${count} of ${table}`);
  if (refused.length > 0) lines.push(`dead letters: ${refused.join(", ")}`);
  return lines.length === 0 ? undefined : ["its files hold:", ...lines.map((line) => `  ${line}`)].join("\n");
}

/** Null if there is no log. */
export function logAt(dir: string): FilesAtRest["log"] {
  try {
    const pending: Record<string, number> = {};
    for (const { table, pending: rows } of surveyLog(dir).tables)
      pending[table] = (pending[table] ?? 0) + rows;
    return { dir, pending };
  } catch (error) {
    if (error instanceof ColdpathError && error.code === "WAL_ABSENT") return null;
    throw error;
  }
}

/** Null if there is no such folder. */
export function spoolAt(dir: string): FilesAtRest["spool"] {
  try {
    const files = readdirSync(dir, { recursive: true, withFileTypes: true }).filter((entry) =>
      entry.isFile(),
    );
    const segments = files.filter(({ name }) => segmentNumber(name) !== undefined);
    const sizes = segments.map(({ parentPath, name }) => statSync(join(parentPath, name)).size);
    return { dir, bytes: sizes.reduce((sum, size) => sum + size, 0) };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}
