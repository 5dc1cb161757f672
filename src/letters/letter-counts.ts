import { open, stat } from "node:fs/promises";
import { MIB } from "../base/units.js";
import { letterFiles } from "../sink/letter-files.js";

interface Counted {
  /** Letters taken out of a file leave another one in its place. */
  readonly inode: number;
  readonly bornAt: number;
  /** Bytes that were looked through. */
  readonly bytes: number;
  readonly lines: number;
}

const LINE_FEED = 10;

export interface LetterLook {
  /** By table; as of the last look that could be taken. */
  readonly rows: Readonly<Record<string, number>>;
  /** Whether this one could. */
  readonly isReadable: boolean;
}

/** How many letters each table has. Files only grow, so each look reads what has come since the one before. */
export class LetterCounts {
  readonly #folder: string;
  #counted: ReadonlyMap<string, Counted> = new Map();
  #rows: Readonly<Record<string, number>> = {};

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** One look at a time. A folder that cannot be read must not hide what else there is to see. */
  async look(): Promise<LetterLook> {
    try {
      this.#rows = await this.#count();
      return { rows: this.#rows, isReadable: true };
    } catch {
      return { rows: this.#rows, isReadable: false };
    }
  }

  async #count(): Promise<Readonly<Record<string, number>>> {
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
    const { ino: inode, birthtimeMs: bornAt, size } = await stat(path);
    const isSame = before?.inode === inode && before.bornAt === bornAt && before.bytes <= size;
    const known = isSame ? before : { inode, bornAt, bytes: 0, lines: 0 };
    return size === known.bytes ? known : await countOn(path, known);
  } catch (error) {
    // Moved aside or emptied just now: the next look finds what became of it.
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

async function countOn(path: string, { bytes, lines, ...file }: Counted): Promise<Counted> {
  const handle = await open(path, "r");
  try {
    const piece = Buffer.allocUnsafeSlow(MIB);
    for (;;) {
      const { bytesRead } = await handle.read(piece, 0, piece.length, bytes);
      if (bytesRead === 0) return { ...file, bytes, lines };
      for (
        let at = piece.indexOf(LINE_FEED);
        at >= 0 && at < bytesRead;
        at = piece.indexOf(LINE_FEED, at + 1)
      )
        lines += 1;
      bytes += bytesRead;
    }
  } finally {
    await handle.close();
  }
}
