import type { Clock } from "../base/clock.js";
import { ColdpathError, messageOf } from "../base/errors.js";
import { MIB, SECOND_MS } from "../base/units.js";
import type { Batch, SeqSpan } from "../buffer/batch.js";
import type { MemoryBudget } from "../buffer/memory-budget.js";
import type { LogClientOptions } from "../wal/log-client.js";
import { type LogRecord, sealChecksum } from "../wal/records.js";
import type { Committed } from "../wal/recovered.js";
import { type SeqRange, SeqSet } from "../wal/seq-set.js";
import { DiskRoom } from "./disk-room.js";
import type { SpoolEvent, SpoolState } from "./events.js";
import { KeptBatches, type SpoolOrder } from "./kept-batches.js";
import { type Found, SpoolLog } from "./spool-log.js";
import type { KeptBatch, SpooledBatch } from "./spooled-batch.js";

/** Why rows were given up that were in the spool. */
export type SpoolLoss = "spool_full" | "spool_damaged";

/** Rows that were given up, of one run and with contiguous numbers. */
export interface SpoolDropped extends SeqSpan {
  readonly run: bigint;
  readonly reason: SpoolLoss;
  readonly inherited: boolean;
  /** The rows as one Native block, if these are all rows of it and it could be read. */
  readonly block: Uint8Array | undefined;
}

export interface TableSpoolOptions {
  readonly table: string;
  readonly dir: string;
  /** Bytes on disk; beyond it the oldest rows go. */
  readonly max: number;
  readonly order: SpoolOrder;
  /** What the log keeps of its disk; see {@link DiskRoom}. */
  readonly reserve: number;
  readonly emergencyDisk: number;
  readonly clock: Clock;
  readonly budget: MemoryBudget;
  readonly report: (event: SpoolEvent) => void;
  readonly onDropped: (dropped: SpoolDropped) => void;
  /** There may be something to do: rows are on disk, or the disk is another. */
  readonly onChange: () => void;
  /** For tests. */
  readonly disk?: LogClientOptions["disk"];
}

/** How a batch goes by when it is sent, and who waits for it. */
export type Spooling = Pick<SpooledBatch, "openedAt" | "ticket"> & {
  readonly number: number;
  /** The generation of its token that may have been used. */
  readonly generation: number;
};

/** A batch that can be read back. */
export interface Readable {
  readonly batch: SpooledBatch;
  /** Undefined while the disk has not taken it; then its rows are in memory. */
  readonly kept: KeptBatch | undefined;
  readonly payload: Uint8Array | undefined;
}

export interface SpoolStats {
  readonly state: SpoolState;
  readonly reason: string;
  /** On disk, and the most that may be. */
  readonly bytes: number;
  readonly max: number;
  /** On disk and not stored yet, those of earlier starts included. */
  readonly rows: number;
  /** Rows put here since the start, whatever became of them. */
  readonly spooled: number;
  /** Rows that the disk has not taken yet: they are in memory. */
  readonly writing: number;
  readonly batches: number;
  /** Since when the oldest of them waits, as far as this start knows. */
  readonly oldestSeconds: number | undefined;
  /** Rows given up since the start, by reason, those of earlier starts included. */
  readonly dropped: Readonly<Record<string, number>>;
}

/** Space is given free by segments, of which there are at least so many. */
const SEGMENTS = 16;
const SEGMENT_MAX: number = 64 * MIB;
const OPEN_AGAIN_MS: number = SECOND_MS;
const TAKING: ReadonlySet<SpoolState> = new Set(["ok", "slow", "nearly_full"]);

/** The batches of one table that are kept on disk because ClickHouse does not take them. */
export class TableSpool {
  readonly kept = new KeptBatches();
  readonly #options: TableSpoolOptions;
  readonly #room: DiskRoom;
  #log: SpoolLog | undefined;
  #opening: Promise<void> | undefined;
  #openAgainAt = 0;
  /** What earlier starts left is there and could not be opened yet. */
  #isUnread = false;
  /** Why the folder cannot be opened. */
  #trouble: string | undefined;
  /** What the disk has not taken yet. */
  #writing:
    | { readonly batch: SpooledBatch; readonly payload: Uint8Array; readonly written: Promise<void> }
    | undefined;
  /** The segment that is written to. */
  #current: number | undefined;
  #ownRows = 0;
  #spooled = 0;
  readonly #found = new Map<bigint, SeqSet>();
  #told: SpoolState = "unused";
  #isEmpty = true;
  #isClosed = false;
  /** The oldest rows are being given up. */
  #dropping: Promise<void> | undefined;
  readonly #dropped: Record<string, number> = {};
  /** Batches that are with the sink, or on their way there: they cannot be given up. */
  readonly #held = new Set<SpooledBatch>();

  constructor(options: TableSpoolOptions) {
    this.#options = options;
    this.#room = new DiskRoom(options);
  }

  /** Opens what earlier starts left, if there is anything. @throws ColdpathError WAL_LOCKED */
  async find(): Promise<void> {
    let isUsed = true;
    try {
      isUsed = await SpoolLog.isUsed(this.#options.dir);
    } catch {
      // Whatever keeps it from being listed keeps it from being opened, which tells.
    }
    this.#isUnread = isUsed;
    if (isUsed) await this.open();
  }

  /** Whether there may be rows of earlier starts that nobody can count yet. */
  get isUnread(): boolean {
    return this.#isUnread;
  }

  /** Opens the folder; trouble of the disk is told, and it is tried again. @throws ColdpathError WAL_LOCKED */
  async open(): Promise<void> {
    if (this.#log !== undefined || this.#isClosed) return;
    this.#opening ??= this.#open().finally(() => {
      this.#opening = undefined;
      this.#tell();
    });
    await this.#opening;
  }

  get log(): SpoolLog | undefined {
    return this.#log;
  }

  /** Rows of this start whose fate is not known. */
  get ownRows(): number {
    return this.#ownRows;
  }

  /** Of these, those that are on disk. */
  get safeRows(): number {
    return this.#ownRows - (this.#writing?.batch.count ?? 0);
  }

  /** Rows of earlier starts whose fate is not known. */
  get inheritedRows(): number {
    let rows = 0;
    for (const { batch } of this.kept.all) if (batch.inherited) rows += this.#openOf(batch);
    return rows;
  }

  /** Rows of one earlier start that were here when the folder was opened, by number. */
  foundOf(run: bigint): readonly SeqRange[] {
    return this.#found.get(run)?.ranges ?? [];
  }

  get isEmpty(): boolean {
    return this.kept.batches === 0 && this.#writing === undefined;
  }

  get isWriting(): boolean {
    return this.#writing !== undefined;
  }

  /** Bytes of rows in memory that the disk has not taken. */
  get writingBytes(): number {
    return this.#writing?.payload.length ?? 0;
  }

  /** Settles when what it is busy with is done: the folder is opened, or a batch is written, or rows are given up. */
  get idle(): Promise<void> {
    return this.#busyWith ?? Promise.resolve();
  }

  get isIdle(): boolean {
    return this.#busyWith === undefined;
  }

  /** Resolves when the fate of all rows of this start is known that are here now. */
  async settled(): Promise<void> {
    const batches = [...this.kept.all].map(({ batch }) => batch);
    if (this.#writing !== undefined) batches.push(this.#writing.batch);
    await Promise.allSettled(batches.map(({ ticket }) => ticket?.stored));
  }

  /**
   * Whether a batch of so many bytes can be put now. If not because the folder is not open, it is opened; if not for want of room, the oldest
   * rows go.
   */
  canTake(bytes: number): boolean {
    if (this.#isClosed) return false;
    if (this.#log === undefined) {
      this.#openSoon();
      return false;
    }
    if (this.#writing !== undefined || !TAKING.has(this.#state.state)) return false;
    if (this.kept.bytes + bytes <= this.#options.max) return true;
    this.#dropOldest();
    return false;
  }

  /** Takes a batch to disk; its rows are not needed elsewhere from then on. Ask {@link canTake} before. */
  put(source: Batch, { number, generation, openedAt, ticket }: Spooling): void {
    const { run, partition, rows: count } = source;
    const firstSeq = Number(source.firstSeq);
    const payload = source.encode();
    const { length: bytes } = payload;
    const own = { run, partition: partition.key, firstSeq, count };
    const batch = { ...own, number, sealed: generation, inherited: false, bytes, openedAt, ticket };
    this.#ownRows += count;
    this.#spooled += count;
    this.#begun();
    this.#options.budget.add(bytes);
    const written = this.#log!.append(recordsOf(this.#options.table, batch, payload)).then(
      (committed) => {
        this.#written();
        this.#keep(batch, committed);
        this.#options.onChange();
      },
      // The disk did not take it before the recorder closed: the rows are counted as left.
      () => this.#options.onChange(),
    );
    this.#writing = { batch, payload, written };
  }

  /** To be called several times a second while there is a backlog: gives way, opens again, tells its state. */
  tend(): void {
    if (this.#isClosed) return;
    const { disk } = this.#log ?? {};
    if (disk !== undefined) this.#room.look(disk);
    if (this.#room.isTight) this.#dropOldest();
    if (this.#trouble !== undefined) this.#openSoon();
    this.#tell();
  }

  /** What is to be read back next, of those that may be. */
  next(mayBe: (kept: KeptBatch) => boolean): Readable | undefined {
    // A disk that does not take it has it in memory, and others perhaps not at all.
    if (this.#writing !== undefined && !TAKING.has(this.#state.state) && !this.#held.has(this.#writing.batch))
      return { batch: this.#writing.batch, payload: this.#writing.payload, kept: undefined };
    const kept = this.kept.next(this.#options.order, (each) => !this.#held.has(each.batch) && mayBe(each));
    return kept === undefined ? undefined : { batch: kept.batch, kept, payload: undefined };
  }

  /** The batch is needed where it goes: it is not given up before {@link letGo}. */
  hold(batch: SpooledBatch): void {
    this.#held.add(batch);
  }

  /** Nobody has the batch any more. If the fate of its rows is known, its place on disk is free. */
  letGo({ batch, kept }: Readable): void {
    this.#held.delete(batch);
    if (!this.isKnown(batch)) return;
    const place = kept ?? [...this.kept.all].find((each) => each.batch === batch);
    if (place !== undefined) this.kept.remove(place);
    this.#free();
  }

  isKnown({ run, firstSeq, count }: SpooledBatch): boolean {
    return this.#log?.fates.isKnown(run, { firstSeq, count }) === true;
  }

  /** The disk has not got the rows any more. */
  damaged({ batch, kept }: Readable): void {
    this.#held.delete(batch);
    this.#lose(batch, "spool_damaged", undefined);
    if (kept !== undefined) this.kept.remove(kept);
    this.#free();
  }

  /** Rows of this start are settled. */
  settle(rows: number): void {
    this.#ownRows -= rows;
  }

  stats(): SpoolStats {
    const { max, clock } = this.#options;
    const [oldest] = this.kept.all;
    return {
      ...this.#state,
      bytes: this.kept.bytes,
      max,
      rows: this.kept.rows,
      spooled: this.#spooled,
      writing: this.#writing?.batch.count ?? 0,
      batches: this.kept.batches,
      oldestSeconds:
        oldest === undefined ? undefined : (clock.monotonic() - oldest.batch.openedAt) / SECOND_MS,
      dropped: { ...this.#dropped },
    };
  }

  /** What is not on disk by then is lost. */
  async close(deadlineMs: number): Promise<void> {
    this.#isClosed = true;
    await this.#opening?.catch(() => {});
    await this.#log?.close(deadlineMs);
  }

  get #busyWith(): Promise<void> | undefined {
    return this.#opening ?? this.#writing?.written ?? this.#dropping;
  }

  get #state(): { readonly state: SpoolState; readonly reason: string } {
    if (this.#trouble !== undefined) return { state: "unopened", reason: this.#trouble };
    if (this.#log === undefined) return { state: "unused", reason: "nothing was spooled yet" };
    const of = this.#log.state;
    return TAKING.has(of.state) && this.#room.isTight
      ? { state: "giving_way", reason: this.#room.reason }
      : of;
  }

  async #open(): Promise<void> {
    const { table, dir, max, clock, report, onChange, disk } = this.#options;
    const segmentBytes = Math.min(SEGMENT_MAX, Math.max(MIB, Math.floor(max / SEGMENTS)));
    try {
      const { log, found } = await SpoolLog.open({
        ...{ table, dir, segmentBytes, clock, report },
        onState: () => {
          this.tend();
          onChange();
        },
        ...(disk === undefined ? {} : { disk }),
      });
      this.#trouble = undefined;
      this.#log = log;
      this.#take(found);
    } catch (error) {
      if (error instanceof ColdpathError && error.code === "WAL_LOCKED") throw error;
      this.#trouble = messageOf(error);
      this.#openAgainAt = clock.monotonic() + OPEN_AGAIN_MS;
    }
  }

  #take({ batches, segments }: Found): void {
    this.#isUnread = false;
    for (const { segment, bytes } of segments) this.kept.grew(segment, bytes);
    for (const { batch, place } of batches) {
      this.kept.add(batch, place);
      const { run, firstSeq, count } = batch;
      const found = this.#found.get(run) ?? new SeqSet();
      found.add(firstSeq, firstSeq + count - 1);
      this.#found.set(run, found);
    }
    const { table, report } = this.#options;
    if (batches.length > 0) {
      this.#isEmpty = false;
      report({ kind: "spool_found", table, rows: this.kept.rows, bytes: this.kept.bytes });
    }
    this.#free();
  }

  #openSoon(): void {
    if (this.#opening !== undefined || this.#options.clock.monotonic() < this.#openAgainAt) return;
    // Somebody else has taken the folder since: as good as a disk in trouble.
    this.open().then(this.#options.onChange, (error: unknown) => {
      this.#trouble = messageOf(error);
      this.#openAgainAt = this.#options.clock.monotonic() + OPEN_AGAIN_MS;
      this.#tell();
    });
  }

  #keep(batch: SpooledBatch, { places }: Committed): void {
    const { ordinal, place } = places[0]!;
    const { segment } = place;
    this.kept.grew(
      segment,
      places.reduce((sum, each) => sum + each.place.length, 0),
    );
    this.#current = segment;
    if (this.isKnown(batch)) this.#free();
    else this.kept.add(batch, { ordinal, segment });
  }

  #written(): void {
    this.#options.budget.add(-this.#writing!.payload.length);
    this.#writing = undefined;
  }

  /** Gives up all rows of the oldest segment of which none is with the sink. */
  #dropOldest(): void {
    if (this.#dropping !== undefined) return;
    const oldest = this.kept.segments.find(
      (segment) =>
        segment !== this.#current && !this.kept.in(segment).some(({ batch }) => this.#held.has(batch)),
    );
    if (oldest === undefined) return;
    this.#dropping = this.#drop(oldest).finally(() => {
      this.#dropping = undefined;
      this.#options.onChange();
    });
  }

  async #drop(segment: number): Promise<void> {
    const before = this.kept.bytes;
    const inside = this.kept.in(segment);
    for (const { batch } of inside) this.hold(batch);
    for (const kept of inside) {
      // What is missing is told by series and time, as far as the disk still says.
      const block = await this.#log!.read(kept.place.ordinal).catch(() => undefined);
      if (this.#isClosed) return;
      this.#held.delete(kept.batch);
      this.#lose(kept.batch, "spool_full", block);
      this.kept.remove(kept);
    }
    this.#unlink(segment);
    this.#room.gained(before - this.kept.bytes);
  }

  #lose(batch: SpooledBatch, reason: SpoolLoss, block: Uint8Array | undefined): void {
    const { run, firstSeq, count, inherited, ticket } = batch;
    const fates = this.#log!.fates;
    for (const { first, last } of fates.unknown(run, firstSeq, firstSeq + count - 1)) {
      const rows = last - first + 1;
      fates.skipped(run, [{ firstSeq: first, count: rows }]);
      if (!inherited) this.#ownRows -= rows;
      this.#dropped[reason] = (this.#dropped[reason] ?? 0) + rows;
      const all = rows === count ? block : undefined;
      this.#options.onDropped({ run, reason, inherited, firstSeq: first, count: rows, block: all });
    }
    const { table } = this.#options;
    ticket?.settle(new ColdpathError("BATCH_FAILED", `${count} rows of ${table} were given up: ${reason}`));
  }

  /** Removes segments of which nothing is needed. */
  #free(): void {
    for (const segment of this.kept.segments)
      if (segment !== this.#current && this.kept.in(segment).length === 0) this.#unlink(segment);
    if (this.#isEmpty || !this.isEmpty) return;
    this.#isEmpty = true;
    this.#options.report({ kind: "spool_emptied", table: this.#options.table });
  }

  #unlink(segment: number): void {
    this.kept.forget(segment);
    // It ends when the disk allows, or with the recorder; the next start finds that nothing of it is needed.
    this.#log!.unlink(segment).catch(() => {});
  }

  #begun(): void {
    if (!this.#isEmpty) return;
    this.#isEmpty = false;
    this.#options.report({ kind: "spool_begun", table: this.#options.table });
  }

  #openOf({ run, firstSeq, count }: SpooledBatch): number {
    return this.#log!.fates.openIn(run, firstSeq, firstSeq + count - 1);
  }

  #tell(): void {
    const { state: to, reason } = this.#state;
    const from = this.#told;
    if (from === to) return;
    this.#told = to;
    this.#options.report({ kind: "spool_state", table: this.#options.table, from, to, reason });
  }
}

/** The rows and the name of their batch, which are on disk together or not at all. */
function recordsOf(table: string, batch: SpooledBatch, payload: Uint8Array): LogRecord[] {
  const { run, partition, firstSeq, count, number, sealed } = batch;
  const own = { table, partition, run };
  const frames = [{ firstSeq, count }];
  const seal = { batch: String(number), generation: sealed!, frames, rows: count };
  return [
    { kind: "rows", ...own, firstSeq, count, positions: [], group: 0n, payload },
    { kind: "seal", ...own, ...seal, checksum: sealChecksum(frames) },
  ];
}
