// Format: docs/reference/formats/dead-letters.md
import { createReadStream } from "node:fs";
import { open, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { DeadLetter } from "./dead-letter.js";

/** Called for a line that is no letter: damage in the middle of a file, or a torn last line of another run's. */
export type OnDamaged = (path: string, line: number) => void;

/** One file of letters. */
export interface LetterFile {
  readonly path: string;
  readonly table: string;
  /** Decimal. */
  readonly run: string;
  /** 0 for the file its run appends to; those moved aside to have letters taken out count from 1. */
  readonly aside: number;
}

/** The table, with its odd characters encoded, the run, and the number of a file that was moved aside. */
const FILE_NAME = /^(.+)\.(\d+)(?:\.aside(\d+))?\.ndjson$/;

/** Table names may hold any character; file names keep the plain ones and stay different. */
export function letterFileName({ table, run, aside }: Omit<LetterFile, "path">): string {
  return `${encodeURIComponent(table)}.${run}${aside === 0 ? "" : `.aside${aside}`}.ndjson`;
}

/** The files of one table, or of all, those of one run oldest first. A folder that is not there has none. */
export async function letterFiles(folder: string, table?: string): Promise<LetterFile[]> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw error;
  });
  return names
    .flatMap((name) => {
      const match = FILE_NAME.exec(name);
      if (match === null) return [];
      const [, encoded, run, aside = "0"] = match;
      return [
        {
          path: join(folder, name),
          table: decodeURIComponent(encoded!),
          run: run!,
          aside: Number(aside),
        },
      ];
    })
    .filter((file) => table === undefined || file.table === table)
    .sort((a, b) => compare(a.table, b.table) || compare(a.run, b.run) || age(a) - age(b));
}

/** The letters of a file, oldest first. `isGrowing`: a last line without its newline is being written just now. */
export async function* lettersIn(
  path: string,
  onDamaged: OnDamaged,
  isGrowing: boolean,
): AsyncGenerator<DeadLetter> {
  let number = 0;
  for await (const { text, isWhole } of linesOf(path)) {
    number += 1;
    const letter = isWhole ? parseLetter(text) : undefined;
    if (letter !== undefined) yield letter;
    else if (isWhole || !isGrowing) onDamaged(path, number);
  }
}

interface Line {
  readonly text: string;
  /** False for a last one without its newline, which never counted. */
  readonly isWhole: boolean;
}

/** The lines of a file; none if it was moved aside meanwhile. */
async function* linesOf(path: string): AsyncGenerator<Line> {
  let rest = "";
  try {
    // Not readline, which also ends lines at U+2028, and that may stand in a row.
    for await (const chunk of createReadStream(path, { encoding: "utf8" })) {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop()!;
      for (const text of lines) yield { text, isWhole: true };
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
  if (rest !== "") yield { text: rest, isWhole: false };
}

/**
 * Takes letters out of the folder, for ever. A file is moved aside before it is read, so that whoever appends to it notices
 * and writes again, to a new file, what may have come too late; then the rest takes its place at once or not at all. One caller at a
 * time.
 *
 * @returns how many were taken out
 */
export async function removeLetters(folder: string, ids: ReadonlySet<string>): Promise<number> {
  const files = await letterFiles(folder);
  let removed = 0;
  for (const file of files) {
    if (!(await holdsAny(file.path, ids))) continue;
    removed += await rewriteWithout(await movedAside(folder, file, files), ids);
  }
  const handle = await open(folder, "r");
  await handle.sync().finally(() => handle.close());
  return removed;
}

async function holdsAny(path: string, ids: ReadonlySet<string>): Promise<boolean> {
  for await (const { id } of lettersIn(path, () => {}, true)) if (ids.has(id)) return true;
  return false;
}

async function movedAside(
  folder: string,
  { path, table, run, aside }: LetterFile,
  files: readonly LetterFile[],
): Promise<string> {
  if (aside > 0) return path;
  const others = files.filter((each) => each.table === table && each.run === run).map((each) => each.aside);
  const moved = join(folder, letterFileName({ table, run, aside: Math.max(...others) + 1 }));
  await rename(path, moved);
  return moved;
}

/** Damaged lines stay as they are. */
async function rewriteWithout(path: string, ids: ReadonlySet<string>): Promise<number> {
  const rewritten = `${path}.rewritten`;
  let removed = 0;
  let kept = 0;
  const handle = await open(rewritten, "w", 0o600);
  try {
    for await (const { text, isWhole } of linesOf(path)) {
      if (!isWhole) continue;
      const letter = parseLetter(text);
      if (letter !== undefined && ids.has(letter.id)) removed += 1;
      else {
        await handle.appendFile(`${text}\n`);
        kept += 1;
      }
    }
    await handle.sync();
  } finally {
    await handle.close();
  }
  if (kept > 0) await rename(rewritten, path);
  else {
    await rm(path);
    await rm(rewritten);
  }
  return removed;
}

/** Files moved aside come before the one that grows. */
function age({ aside }: LetterFile): number {
  return aside === 0 ? Number.POSITIVE_INFINITY : aside;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function parseLetter(line: string): DeadLetter | undefined {
  try {
    const value = JSON.parse(line) as DeadLetter;
    return typeof value.id === "string" && typeof value.bytes === "string" ? value : undefined;
  } catch {
    return undefined;
  }
}
