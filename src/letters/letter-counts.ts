import { open, stat } from "node:fs/promises";
import { MIB } from "../base/units.js";
import { letterFiles } from "../sink/letter-files.js";

interface Counted {
  /** Letters taken out of a file leave another one in its place. */
  readonly inode: number;
  /** Bytes that were looked through. */
  readonly bytes: number;
  readonly lines: number;
}

const LINE_FEED = 10;

/** How many letters each table has. Files only grow, so each look reads what has come since the one before. */
export class LetterCounts {
  readonly #folder: string;
  #counted: ReadonlyMap<string, Counted> = new Map();

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** One look at a time. @throws the system's error, but for files and a folder that are not there */
  async look(): Promise<Readonly<Record<string, number>>> {
    const counted = new Map<string, Counted>();
    const letters: Record<string, number> = {};
    for (const { path, table } of await letterFiles(this.#folder)) {
      const count = await recount(path, this.#counted.get(path));
      if (count === undefined) continue;
      counted.set(path, count);
      letters[table] = (letters[table] ?? 0) + count.lines;
    }
    this.#counted = counted;
    return letters;
  }
}

async function recount(path: string, before: Counted | undefined): Promise<Counted | undefined> {
  try {
    const { ino: inode, size } = await stat(path);
    const known = before?.inode === inode && before.bytes <= size ? before : { inode, bytes: 0, lines: 0 };
    return size === known.bytes ? known : await countOn(path, known);
  } catch (error) {
    // Moved aside or emptied just now: the next look finds what became of it.
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

async function countOn(path: string, { inode, bytes, lines }: Counted): Promise<Counted> {
  const file = await open(path, "r");
  try {
    const piece = Buffer.allocUnsafeSlow(MIB);
    for (;;) {
      const { bytesRead } = await file.read(piece, 0, piece.length, bytes);
      if (bytesRead === 0) return { inode, bytes, lines };
      for (
        let at = piece.indexOf(LINE_FEED);
        at >= 0 && at < bytesRead;
        at = piece.indexOf(LINE_FEED, at + 1)
      )
        lines += 1;
      bytes += bytesRead;
    }
  } finally {
    await file.close();
  }
}
