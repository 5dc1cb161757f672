import { join } from "node:path";
import { type CheckedBody, readChecked, writeChecked } from "./checked-file.js";
import type { Disk } from "./disk.js";
import { FieldReader, FieldWriter } from "./fields.js";
import type { Cursor } from "./recovered.js";
import { readRanges, writeRanges } from "./segment-index.js";

const SLOTS = ["cursor.0", "cursor.1"] as const;

/** Two files that are written in turn, so that one is whole whatever happens to the other. */
export class CursorFile {
  readonly #disk: Disk;
  readonly #folder: string;
  #generation = 0;

  constructor(disk: Disk, folder: string) {
    this.#disk = disk;
    this.#folder = folder;
  }

  /** The newest cursor whose checksum holds, of whatever log. @throws the system's error */
  load(): Cursor | undefined {
    const found = SLOTS.map((name) => readChecked(this.#disk, join(this.#folder, name)));
    const newest = found
      .filter((slot): slot is CheckedBody => slot !== undefined)
      .toSorted((a, b) => b.generation - a.generation)[0];
    if (newest === undefined) return undefined;
    this.#generation = newest.generation;
    return decodeCursor(newest);
  }

  /** Overwrites the older slot, also when that failed before: the newer one stays whole. @throws the system's error */
  save(cursor: Cursor): void {
    const generation = this.#generation + 1;
    const path = join(this.#folder, SLOTS[generation % 2]!);
    const { fd, made } = openOrCreate(this.#disk, path);
    try {
      writeChecked(this.#disk, fd, { logId: cursor.logId, generation, body: encodeCursor(cursor) });
    } finally {
      this.#disk.close(fd);
    }
    if (made) this.#disk.syncFolder(this.#folder);
    this.#generation = generation;
  }
}

function openOrCreate(disk: Disk, path: string): { readonly fd: number; readonly made: boolean } {
  try {
    return { fd: disk.open(path, "write"), made: false };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    return { fd: disk.create(path), made: true };
  }
}

function encodeCursor({ upTo, tables }: Cursor): Buffer {
  const to = new FieldWriter(4096);
  to.uint64(upTo);
  to.varint(tables.length);
  for (const { table, run, stored, skipped } of tables) {
    to.string(table);
    to.bigint(run);
    writeRanges(to, stored);
    writeRanges(to, skipped);
  }
  return to.view;
}

function decodeCursor({ logId, body }: CheckedBody): Cursor {
  const from = new FieldReader(body);
  return {
    logId,
    upTo: from.uint64(),
    tables: from.list(() => ({
      table: from.string(),
      run: from.bigint(),
      stored: readRanges(from),
      skipped: readRanges(from),
    })),
  };
}
