import assert from "node:assert";
import { randomBytes } from "node:crypto";
import { dirname, join } from "node:path";
import { crashPoint } from "../base/crash-point.js";
import { messageOf } from "../base/errors.js";
import { readChecked, writeChecked } from "./checked-file.js";
import { CursorFile } from "./cursor-file.js";
import { LogDamagedError } from "./damaged-error.js";
import type { Disk } from "./disk.js";
import { LogDiskError } from "./disk-error.js";
import { segmentName } from "./format.js";
import { Pending } from "./pending.js";
import { quarantine } from "./quarantine.js";
import type { IndexEntry, LogRecord } from "./records.js";
import { recoverSegments } from "./recover.js";
import type { Committed, Cursor, Damage, RecordPlace, Recovered } from "./recovered.js";
import { Reserve } from "./reserve.js";
import { SegmentFile } from "./segment-file.js";
import { readEntries } from "./segment-reader.js";
import { SegmentWriter } from "./segment-writer.js";

/** What became of the records that were to be carried forward. */
export interface Carried {
  readonly places: readonly RecordPlace[];
  /** Damaged: their bytes are in quarantine. */
  readonly lost: readonly IndexEntry[];
  /** Present if the segment was not there, with those of the records that are elsewhere: their places are these. */
  readonly elsewhere?: readonly IndexEntry[];
}

/** Carrying forward syncs after so many bytes, and holds no more of them in memory. */
const CARRY_BYTES = 4 * 1024 * 1024;

export interface LogOptions {
  /** The folder; made if it is not there. One log at a time may be open on it, see `lock.ts`. */
  readonly dir: string;
  /** A commit that would end beyond this goes to a new segment. */
  readonly segmentBytes: number;
  readonly disk: Disk;
  /** Milliseconds since 1970. */
  now(): number;
  /** Bytes kept back for when the disk is full; 0: none. */
  readonly reserveBytes: number;
  /** Given by who has the records that an earlier writer of this process was not known to have synced. */
  readonly resume?: Resume | undefined;
}

/** Where a log goes on whose writer died. */
export interface Resume {
  /** The ordinal of the next record. What the log has from there on is about to be appended again, in the same order. */
  readonly at: number;
  /** Rows below it of each group that has not ended. */
  readonly groups: ReadonlyMap<bigint, number>;
  /** Which log it is, and a number above those of its segments, should nothing of it be left in the folder. */
  readonly logId: bigint;
  readonly nextSegment: number;
}

/** The write-ahead log: the one writer of its folder. Every call blocks until the disk has answered. */
export class Log {
  /** Drawn when the log was made. */
  readonly id: bigint;
  readonly #options: LogOptions;
  readonly #disk: Disk;
  readonly #cursor: CursorFile;
  readonly #reserve: Reserve;
  readonly #pending = new Pending();
  /** Rows appended of each group that has not ended. */
  readonly #groups: Map<bigint, number>;
  /** Bytes of the segments that are not written to. */
  readonly #closed = new Map<number, number>();
  /** Carried forward, but their removal failed. */
  readonly #leftover = new Set<number>();
  #current: SegmentWriter | undefined;
  #nextSegment: number;
  #nextOrdinal: number;
  #committed: number;
  #ledgerGeneration: number;
  /** Records below may be there without being known to be synced: a failed commit or a dead writer left them. */
  #copiesBelow = 0;

  private constructor(
    options: LogOptions,
    cursor: CursorFile,
    start: { id: bigint; recovered: Recovered; nextSegment: number; ledgerGeneration: number },
  ) {
    this.#options = options;
    this.#disk = options.disk;
    this.#cursor = cursor;
    this.#reserve = new Reserve(options.disk, options.dir, options.reserveBytes);
    this.id = start.id;
    this.#nextSegment = start.nextSegment;
    this.#nextOrdinal = options.resume?.at ?? start.recovered.nextOrdinal;
    this.#committed = this.#nextOrdinal - 1;
    this.#copiesBelow = start.recovered.nextOrdinal;
    this.#groups = new Map(options.resume?.groups);
    this.#ledgerGeneration = start.ledgerGeneration;
    for (const { segment, bytes } of start.recovered.segments) this.#closed.set(segment, bytes);
  }

  /**
   * Recovers what is there: keeps every record whose checksum holds, the first of any (table, run, seq), and tells each
   * place where something else was. Writes nothing to a segment that is there but its end.
   * @throws LogDiskError; WAL_NEWER
   */
  static open(options: LogOptions): { readonly log: Log; readonly recovered: Recovered } {
    return guarded(options.dir, () => {
      const { disk, dir, resume } = options;
      disk.makeFolder(dir);
      if (disk.list(dir).length === 0) disk.syncFolder(dirname(dir));
      const cursorFile = new CursorFile(disk, dir);
      const cursor = cursorFile.load();
      const found = recoverSegments(disk, dir, cursor?.logId, options.now());
      // Without a segment the cursor alone knows how far the log was.
      const numbered = found.segments.length > 0 ? found.nextOrdinal : (cursor?.upTo ?? 0) + 1;
      const id = found.logId ?? resume?.logId ?? randomBytes(8).readBigUInt64LE();
      if (found.logId === undefined) cursorFile.save({ logId: id, upTo: numbered - 1, tables: [] });
      const nextOrdinal = Math.max(numbered, found.nextOrdinal);
      const ledger = readChecked(disk, join(dir, "ledger"));
      const { segments, marks, positions, damage, torn, trouble } = found;
      const recovered: Recovered = {
        logId: id,
        nextOrdinal,
        segments,
        cursor: cursor?.logId === id && cursor.upTo < nextOrdinal ? cursor : undefined,
        ledger: ledger?.logId === id ? ledger.body : undefined,
        marks,
        positions,
        damage,
        torn,
        trouble,
      };
      const start = {
        id,
        recovered,
        nextSegment: Math.max(found.nextSegment, resume?.nextSegment ?? 1),
        ledgerGeneration: ledger?.generation ?? 0,
      };
      return { log: new Log(options, cursorFile, start), recovered };
    });
  }

  /** Of all segments, the one that is written to included. */
  get bytes(): number {
    return [...this.#closed.values()].reduce((sum, bytes) => sum + bytes, this.#current?.end ?? 0);
  }

  /** Whether the reserve is there; false once it was given up on a full disk. */
  get reserveHeld(): boolean {
    return this.#reserve.held;
  }

  /**
   * To be called once a second: makes the reserve if it is not there and the disk has room for it, removes what could not be
   * removed, and notices when the folder was removed, which an open file does not.
   * @throws LogDiskError
   */
  tend(): void {
    guarded(this.#options.dir, () => {
      const current = this.#current;
      const names = this.#disk.list(this.#options.dir);
      if (current !== undefined && !names.includes(segmentName(current.header.segment)))
        this.#abandon(current);
      for (const segment of this.#leftover) this.unlink(segment);
      this.#reserve.hold();
    });
  }

  /** Takes a record for the next commit; its payload is copied. Its ordinal. */
  append(record: LogRecord): number {
    const rows = this.#rowsOf(record);
    this.#pending.add(this.#nextOrdinal, record, rows);
    return this.#nextOrdinal++;
  }

  /**
   * Makes everything appended durable, in one write and one sync.
   * @throws LogDiskError: nothing of it is acknowledged, all of it stays pending, and it may be called again
   */
  commit(): Committed {
    const upTo = this.#nextOrdinal - 1;
    const places =
      this.#pending.records === 0
        ? []
        : this.#despiteFullDisk(() => this.#write(this.#committed + 1 < this.#copiesBelow));
    this.#committed = upTo;
    return { upTo, places };
  }

  /** @throws LogDiskError; the cursor saved before stays */
  saveCursor(cursor: Cursor): void {
    assert.equal(cursor.logId, this.id);
    this.#despiteFullDisk(() => {
      crashPoint("wal.before_cursor");
      this.#cursor.save(cursor);
    });
  }

  /** @throws LogDiskError; the ledger saved before stays */
  saveLedger(bytes: Uint8Array): void {
    this.#despiteFullDisk(() => {
      const path = join(this.#options.dir, "ledger");
      if (this.#disk.list(this.#options.dir).includes("ledger.new")) this.#disk.unlink(`${path}.new`);
      const fd = this.#disk.create(`${path}.new`);
      const generation = this.#ledgerGeneration + 1;
      try {
        writeChecked(this.#disk, fd, { logId: this.id, generation, body: Buffer.from(bytes) });
      } finally {
        this.#disk.close(fd);
      }
      this.#disk.rename(`${path}.new`, path);
      this.#disk.syncFolder(this.#options.dir);
      this.#ledgerGeneration = generation;
    });
  }

  /** Removes a segment; the caller knows that nothing in it is needed. @throws LogDiskError; it may be called again */
  unlink(segment: number): void {
    assert.notEqual(segment, this.#current?.header.segment, "the segment is written to");
    guarded(this.#options.dir, () => {
      // The newest segment says where ordinals go on.
      if (this.#current === undefined && segment === Math.max(...this.#closed.keys())) this.#begin();
      crashPoint("wal.before_unlink");
      const name = segmentName(segment);
      if (this.#disk.list(this.#options.dir).includes(name)) this.#disk.unlink(join(this.#options.dir, name));
      crashPoint("wal.unlink_before_folder_sync");
      this.#disk.syncFolder(this.#options.dir);
      this.#closed.delete(segment);
      this.#leftover.delete(segment);
    });
  }

  /**
   * Appends copies of the records that `keep` picks, each under its own ordinal, and removes the segment once they are on
   * the disk. If only the removal fails, `tend` tries it again. Nothing may be pending. Of a segment that is not there, as the thread before
   * died when it had removed it, or somebody else did, the copies are looked for.
   * @throws LogDiskError: the segment is still there, and so may be copies, which a later call makes again
   */
  carry(segment: number, keep: (entry: IndexEntry) => boolean): Carried {
    assert.notEqual(segment, this.#current?.header.segment, "the segment is written to");
    assert.equal(this.#pending.records, 0, "records wait for a commit");
    const name = segmentName(segment);
    const path = join(this.#options.dir, name);
    try {
      if (!guarded(this.#options.dir, () => this.#disk.list(this.#options.dir)).includes(name))
        return guarded(this.#options.dir, () => this.#elsewhere(segment, keep));
      const carried = guarded(path, () => this.#copy(path, keep));
      crashPoint("wal.carry");
      try {
        this.unlink(segment);
      } catch (error) {
        // The caller has to know where the copies are all the same.
        if (!(error instanceof LogDiskError)) throw error;
        this.#leftover.add(segment);
      }
      return carried;
    } finally {
      this.#pending.clear();
    }
  }

  /** Copies bytes that are no record to `quarantine/`, unless their segment is gone. @throws LogDiskError; it may be called again */
  setAside({ segment, offset, bytes }: Pick<Damage, "segment" | "offset" | "bytes">): void {
    const name = segmentName(segment);
    this.#despiteFullDisk(() => {
      if (!this.#disk.list(this.#options.dir).includes(name)) return;
      const file = new SegmentFile(this.#disk, join(this.#options.dir, name));
      try {
        quarantine(this.#disk, this.#options.dir, segment, offset, file.read(offset, bytes));
      } finally {
        file.close();
      }
    });
  }

  /** Closes the segment that is written to. What was appended since the last commit is dropped. @throws LogDiskError */
  close(): void {
    const current = this.#current;
    this.#pending.clear();
    if (current !== undefined) guarded(this.#options.dir, () => this.#finish(current));
  }

  #copy(path: string, keep: (entry: IndexEntry) => boolean): Carried {
    const places: RecordPlace[] = [];
    const lost: IndexEntry[] = [];
    // A group stays in one segment: its frames count only while its end is there.
    const open = new Set<bigint>();
    const flush = (): void => {
      if (this.#pending.records > 0) places.push(...this.#despiteFullDisk(() => this.#write(true)));
    };
    const file = new SegmentFile(this.#disk, path);
    try {
      for (const { entry } of readEntries(file, this.id)) {
        if (!keep(entry)) continue;
        try {
          this.#pending.addCopy(file.record(entry.place, this.id).bytes);
        } catch (error) {
          if (!(error instanceof LogDamagedError)) throw error;
          const { segment, offset, length } = entry.place;
          quarantine(this.#disk, this.#options.dir, segment, offset, file.read(offset, length));
          lost.push(entry);
        }
        const { record } = entry;
        if (record.kind === "rows" && record.group !== 0n) open.add(record.group);
        if (record.kind === "group_end") open.delete(record.group);
        if (this.#pending.bytes >= CARRY_BYTES && open.size === 0) flush();
      }
      flush();
    } finally {
      file.close();
    }
    return { places, lost };
  }

  #elsewhere(segment: number, keep: (entry: IndexEntry) => boolean): Carried {
    const current = this.#current;
    if (current !== undefined) this.#finish(current);
    this.#closed.delete(segment);
    const found: IndexEntry[] = [];
    for (const number of [...this.#closed.keys()].sort((a, b) => a - b)) {
      const file = new SegmentFile(this.#disk, join(this.#options.dir, segmentName(number)));
      try {
        found.push(...readEntries(file, this.id).flatMap(({ entry }) => (keep(entry) ? [entry] : [])));
      } finally {
        file.close();
      }
    }
    return { places: found, lost: [], elsewhere: found };
  }

  #rowsOf(record: LogRecord): number {
    if (record.kind === "rows") {
      if (record.group !== 0n)
        this.#groups.set(record.group, (this.#groups.get(record.group) ?? 0) + record.count);
      return record.count;
    }
    if (record.kind !== "group_end") return 0;
    const rows = this.#groups.get(record.group) ?? 0;
    this.#groups.delete(record.group);
    return rows;
  }

  #write(copies: boolean): RecordPlace[] {
    const segment = this.#writable();
    const bytes = this.#pending.seal(segment.seed, copies);
    const base = segment.end;
    try {
      crashPoint("wal.before_write");
      segment.write(bytes);
      crashPoint("wal.between_write_and_sync");
      segment.sync(bytes.length);
      crashPoint("wal.after_sync");
    } catch (error) {
      if (!segment.trusted) this.#abandonBecause(segment, error);
      throw error;
    }
    return this.#pending.drain(segment.index, segment.header.segment, base);
  }

  /** The segment for what is pending; a new one if there is none or the other would grow too large. */
  #writable(): SegmentWriter {
    const current = this.#current;
    if (current !== undefined) {
      if (current.index.records === 0 || current.end + this.#pending.bytes <= this.#options.segmentBytes)
        return current;
      crashPoint("wal.rotate");
      this.#finish(current);
    }
    return this.#begin();
  }

  #begin(): SegmentWriter {
    const header = {
      segment: this.#nextSegment,
      logId: this.id,
      createdAt: this.#options.now(),
      nextOrdinal: this.#committed + 1,
    };
    // Counted up first: a file that could neither be completed nor removed keeps its number.
    this.#nextSegment += 1;
    this.#current = SegmentWriter.create(this.#disk, this.#options.dir, header, this.#options.segmentBytes);
    return this.#current;
  }

  /** If its index cannot be written the segment is whole all the same. */
  #finish(segment: SegmentWriter): void {
    this.#current = undefined;
    this.#closed.set(segment.header.segment, segment.end);
    this.#closed.set(segment.header.segment, segment.close());
  }

  /** What of the segment was committed stays and is found by a scan. */
  #abandon(segment: SegmentWriter): void {
    this.#copiesBelow = this.#nextOrdinal;
    this.#current = undefined;
    this.#closed.set(segment.header.segment, segment.end);
    segment.abandon();
    if (segment.index.records > 0) return;
    // Otherwise a disk that fails for hours would leave a file for each try.
    this.#disk.unlink(join(this.#options.dir, segmentName(segment.header.segment)));
    this.#closed.delete(segment.header.segment);
  }

  #abandonBecause(segment: SegmentWriter, because: unknown): never {
    try {
      this.#abandon(segment);
    } catch (error) {
      throw new AggregateError([because, error], messageOf(because), { cause: because });
    }
    throw because;
  }

  /** Runs it once more without the reserve if the disk is full. @throws LogDiskError */
  #despiteFullDisk<T>(run: () => T): T {
    const { dir } = this.#options;
    try {
      return guarded(dir, run);
    } catch (error) {
      if (!(error instanceof LogDiskError) || error.state !== "full") throw error;
      if (!guarded(dir, () => this.#reserve.release())) throw error;
      return guarded(dir, run);
    }
  }
}

function guarded<T>(path: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw LogDiskError.isOfDisk(error) ? LogDiskError.of(path, error) : error;
  }
}
