// Format: docs/reference/formats/dead-letters.md
import { statSync } from "node:fs";
import { type FileHandle, mkdir, open, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { KIB } from "../base/units.js";
import { type DeadLetter, deadLetterOf, LEFT_OUT, originKey, type Refused, rowKey } from "./dead-letter.js";
import { KeyIndex } from "./key-index.js";
import { letterFileName, letterFiles, lettersIn, type OnDamaged } from "./letter-files.js";

/**
 * Rows that were refused, on disk: NDJSON files, one for each table and run, see `docs/reference/formats/dead-letters.md`.
 * Several processes may share the folder, as each appends to files of its own only; `removeLetters` may take letters out of any of
 * them meanwhile. What was added is safe once {@link add} resolves; letters that arrive together share one fsync.
 */
export class DeadLetters {
  readonly folder: string;
  readonly #run: bigint;
  readonly #onDamaged: OnDamaged;
  readonly #files = new Map<string, TableFile>();

  private constructor(folder: string, run: bigint, onDamaged: OnDamaged) {
    this.folder = folder;
    this.#run = run;
    this.#onDamaged = onDamaged;
  }

  /** Makes the folder if it is not there. `run` names this start: no other process may use the same. */
  static async open(folder: string, run: bigint, onDamaged: OnDamaged): Promise<DeadLetters> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    return new DeadLetters(folder, run, onDamaged);
  }

  /**
   * Keeps a row. One of the same table, source, source_seq and bytes that is there already is not written again; nor is a row without an
   * origin that an earlier start numbered and kept.
   * Resolves when it is on disk.
   * @throws the file system's error; the row is not kept then.
   */
  async add(refused: Refused): Promise<void> {
    const { table } = refused;
    let file = this.#files.get(table);
    if (file === undefined) {
      const name = letterFileName({ table, run: this.#run.toString(), aside: 0 });
      file = new TableFile(join(this.folder, name), this.#run.toString(), () => this.#keysOf(table));
      this.#files.set(table, file);
    }
    await file.add(deadLetterOf(refused, Date.now()));
  }

  /** The letters of one table, or of all; those of one run oldest first. */
  async *list(table?: string): AsyncGenerator<DeadLetter> {
    for (const { path, run } of await letterFiles(this.folder, table)) {
      // What this process is writing just now is not torn.
      yield* lettersIn(path, this.#onDamaged, run === this.#run.toString());
    }
  }

  /** Waits for what is being written. */
  async close(): Promise<void> {
    for (const file of this.#files.values()) await file.close();
  }

  /** The rows that any run has kept so far. */
  async #keysOf(table: string): Promise<Known> {
    const changedAt = changeOf(this.folder);
    const keys = new KeyIndex();
    for await (const letter of this.list(table)) {
      const key = rowKey(letter);
      if (key !== undefined) keys.add(key);
    }
    return { keys, changedAt };
  }
}

/** Rows that are on disk. */
interface Known {
  readonly keys: KeyIndex;
  /** {@link changeOf} the folder before its files were read. */
  readonly changedAt: bigint;
}

/** Changes when a file comes or goes; letters are taken out only by putting a file in place of another. */
function changeOf(folder: string): bigint {
  return statSync(folder, { bigint: true }).mtimeNs;
}

interface OpenFile {
  readonly handle: FileHandle;
  readonly inode: bigint;
  /** Bytes of it that are safe. */
  length: number;
}

interface Waiting {
  readonly line: string;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Appends to one file; while one group is being written and synced, the next gathers. */
class TableFile {
  readonly #path: string;
  readonly #run: string;
  readonly #readKnown: () => Promise<Known>;
  #known: Promise<Known> | undefined;
  #opened: Promise<OpenFile> | undefined;
  #waiting: Waiting[] = [];
  #writing: Promise<void> | undefined;
  /** Rows with a key that are not safe yet. */
  readonly #underWay = new Map<string, Promise<void>>();

  constructor(path: string, run: string, readKnown: () => Promise<Known>) {
    this.#path = path;
    this.#run = run;
    this.#readKnown = readKnown;
  }

  async add(letter: DeadLetter): Promise<void> {
    // What we number ourselves we refuse once.
    const isOurs = letter.run === this.#run && letter.code !== LEFT_OUT;
    const key = isOurs ? originKey(letter) : rowKey(letter);
    if (key === undefined) return await this.#append(letter);
    const known = await this.#knownNow(key);
    if (known.keys.has(key)) return;
    let added = this.#underWay.get(key);
    if (added === undefined) {
      added = this.#append(letter)
        .then(() => known.keys.add(key))
        .finally(() => this.#underWay.delete(key));
      this.#underWay.set(key, added);
    }
    await added;
  }

  /** What is known, read anew if the row seems to be there but letters may have been taken out since. */
  async #knownNow(key: string): Promise<Known> {
    for (;;) {
      this.#known ??= this.#readKnown();
      const reading = this.#known;
      const known = await reading.catch((error: unknown) => {
        if (this.#known === reading) this.#known = undefined;
        throw error;
      });
      if (!known.keys.has(key) || changeOf(dirname(this.#path)) === known.changedAt) return known;
      if (this.#known === reading) this.#known = undefined;
    }
  }

  async close(): Promise<void> {
    await this.#writing;
    const opened = await this.#opened?.catch(() => undefined);
    await opened?.handle.close();
  }

  #append(letter: DeadLetter): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ line: `${JSON.stringify(letter)}\n`, resolve, reject });
      this.#writing ??= this.#write();
    });
  }

  async #open(): Promise<OpenFile> {
    const handle = await open(this.#path, "a+", 0o600);
    try {
      const length = await cutTornLine(handle);
      // The file's entry in its folder must survive a power cut too.
      const folder = await open(dirname(this.#path), "r");
      await folder.sync().finally(() => folder.close());
      const { ino: inode } = await handle.stat({ bigint: true });
      return { handle, inode, length };
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  async #write(): Promise<void> {
    while (this.#waiting.length > 0) {
      const group = this.#waiting;
      this.#waiting = [];
      try {
        await this.#appendInPlace(group);
        for (const each of group) each.resolve();
      } catch (error) {
        await this.#abandon();
        for (const each of group) each.reject(error);
      }
    }
    this.#writing = undefined;
  }

  async #appendInPlace(group: readonly Waiting[]): Promise<void> {
    for (;;) {
      this.#opened ??= this.#open();
      const file = await this.#opened;
      if (await isInPlace(file, this.#path)) {
        await appendGroup(file, group);
        // Whoever takes letters out moves the file aside before reading it. In its place even now, it will be read with the group in
        // it; else the group may have come too late, and a letter twice is better than none.
        if (await isInPlace(file, this.#path)) return;
      }
      this.#opened = undefined;
      await file.handle.close();
    }
  }

  /** After a failed write or sync the descriptor is not trusted any more; the next letter opens the file anew. */
  async #abandon(): Promise<void> {
    const opened = await this.#opened?.catch(() => undefined);
    this.#opened = undefined;
    if (opened === undefined) return;
    // If this fails too, what stays is a torn line, which the next opening of the file cuts, or a letter too many.
    await opened.handle.truncate(opened.length).catch(() => {});
    await opened.handle.close().catch(() => {});
  }
}

async function appendGroup(file: OpenFile, group: readonly Waiting[]): Promise<void> {
  const bytes = Buffer.from(group.map((each) => each.line).join(""));
  await file.handle.appendFile(bytes);
  await file.handle.datasync();
  file.length += bytes.length;
}

async function isInPlace({ inode }: OpenFile, path: string): Promise<boolean> {
  try {
    return (await stat(path, { bigint: true })).ino === inode;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw error;
  }
}

const TAIL_BYTES: number = 64 * KIB;

/** Cuts off a last line without its newline, which a failed write left: nobody was told that it is safe. Gives the length. */
async function cutTornLine(handle: FileHandle): Promise<number> {
  const { size } = await handle.stat();
  const tail = Buffer.alloc(TAIL_BYTES);
  let end = size;
  while (end > 0) {
    const from = Math.max(0, end - TAIL_BYTES);
    const { bytesRead } = await handle.read(tail, 0, end - from, from);
    const newline = tail.subarray(0, bytesRead).lastIndexOf("\n");
    if (newline >= 0) {
      end = from + newline + 1;
      break;
    }
    end = from;
  }
  if (end < size) await handle.truncate(end);
  return end;
}
