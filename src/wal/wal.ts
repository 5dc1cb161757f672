import { type Clock, within } from "../base/clock.js";
import { DAY_MS, MIB, MINUTE_MS, SECOND_MS } from "../base/units.js";
import type { FlushLimits } from "../buffer/batch-limits.js";
import type { EventWindow } from "../buffer/event-window.js";
import type { Journal } from "../buffer/journal.js";
import type { MemoryBudget } from "../buffer/memory-budget.js";
import type { Identity } from "../buffer/stamp.js";
import type { Table } from "../schemas/table.js";
import type { Inherited } from "./backlog.js";
import { BatchHistories } from "./batch-histories.js";
import type { CarryRule } from "./carry-rule.js";
import { Commits } from "./commits.js";
import { CursorSaver } from "./cursor-saver.js";
import type { WalEvent } from "./events.js";
import type { GivenUp } from "./given-up.js";
import { KeptSegments } from "./kept-segments.js";
import { Ledger } from "./ledger.js";
import type { Carried } from "./log.js";
import { LogCare } from "./log-care.js";
import { LogClient, type LogStats } from "./log-client.js";
import { LogJournal } from "./log-journal.js";
import { LogReader } from "./log-reader.js";
import { LoggedBuffer } from "./logged-buffer.js";
import { OpenMarks } from "./open-marks.js";
import type { IndexEntry, LogRecord } from "./records.js";
import type { Committed, Cursor, Recovered } from "./recovered.js";
import { RowFates } from "./row-fates.js";
import type { RowSource } from "./row-source.js";
import { SealedBatches } from "./sealed-batches.js";
import { SegmentRemover } from "./segment-remover.js";
import { type SeqRange, SeqSet } from "./seq-set.js";
import { type StoredRows, Trimmer } from "./trimmer.js";
import { WaitingBytes } from "./waiting-bytes.js";

/** The log as it is configured; sizes in bytes, times in milliseconds. */
export interface WalOptions {
  readonly dir: string;
  readonly commit: number;
  readonly segment: number;
  readonly max: number;
  readonly reserve: number;
  /** Share of the disk, 0 to 1, from which on rows are refused. */
  readonly emergencyDisk: number;
  /** How long answers to keyed requests are remembered, and what they may take in memory. Default 24 h, 32 MiB. */
  readonly keys?: { readonly ttl: number; readonly memory: number };
  /** How long ClickHouse must have lived since a row was stored before the row may leave the log. Default 5 min. */
  readonly keepAcked?: number;
}

export interface WalContext {
  readonly clock: Clock;
  readonly report: (event: WalEvent) => void;
  /** Bytes of rows that may wait for the disk. */
  readonly waitingMax: number;
}

export interface WalStats extends LogStats {
  /** Rows that wait for the disk. */
  readonly unsyncedRows: number;
  /** By table: rows of this start that the disk has taken. */
  readonly logged: Readonly<Record<string, number>>;
  /** By table: rows in the log whose fate is not known, those of earlier starts included. */
  readonly pending: Readonly<Record<string, number>>;
  /** By table: rows of unknown fate that are damaged or missing in the log, if there are any. They are not pending. */
  readonly missing: Readonly<Record<string, number>>;
  /** Age of the oldest of them as far as this start knows, seconds. */
  readonly oldestPendingSeconds: number | undefined;
  /** Tables of which rows are in the log that are not in memory. */
  readonly behind: readonly string[];
  /** Answers to keyed requests: how many are remembered, their bytes, and how many were forgotten before their time. */
  readonly keys: { readonly answers: number; readonly bytes: number; readonly forgottenEarly: number };
}

/** Rows that an operator has given up. */
export interface PurgedRows extends GivenUp {
  readonly reason: "purged";
  /** Their values are not looked at. */
  readonly block: undefined;
}

/** What a table's buffer is made with, beside the log. */
export interface LoggedTable {
  readonly table: Table;
  readonly identity: Identity;
  readonly flush: FlushLimits;
  readonly queueRows: number;
  readonly window: EventWindow;
  readonly budget: MemoryBudget;
  readonly onDue: () => void;
  /** Called when there may be room for rows that were refused. */
  readonly onRoom: () => void;
  /** Rows were given up that the log had. */
  readonly onDropped: (rows: PurgedRows) => void;
}

/** The log of a recorder: takes the rows of its tables, and gives back what earlier starts left. */
export class Wal {
  /** The keyed requests that were answered. */
  readonly keys: Ledger;
  readonly #options: WalOptions;
  readonly #client: LogClient;
  readonly #recovered: Recovered;
  readonly #context: WalContext;
  readonly #reader: LogReader;
  readonly #commits: Commits;
  readonly #waiting: WaitingBytes;
  readonly #cursors: CursorSaver;
  readonly #fates = new Map<string, RowFates>();
  readonly #buffers = new Map<string, LoggedBuffer>();
  readonly #segments: KeptSegments;
  readonly #marks: OpenMarks;
  readonly #remover: SegmentRemover;
  /** What operators do with it while it is used. */
  readonly care: LogCare;
  #trimmer: Trimmer | undefined;
  #syncedUpTo: number;
  /** That the last commit went to. */
  #segment = 0;

  private constructor(options: WalOptions, context: WalContext, client: LogClient, recovered: Recovered) {
    const { clock, report } = context;
    this.#options = options;
    this.#client = client;
    // Ends of groups, as many as there were keyed requests, are needed no longer than the ledger is being filled.
    this.#recovered = {
      ...recovered,
      marks: recovered.marks.filter(({ record }) => record.kind !== "group_end"),
    };
    this.#context = context;
    this.#syncedUpTo = recovered.nextOrdinal - 1;
    this.#waiting = new WaitingBytes(context.waitingMax);
    this.#reader = new LogReader({
      dir: options.dir,
      logId: client.logId,
      segments: recovered.segments,
      report: (damage) => report({ kind: "wal_damage", ...damage }),
    });
    this.#commits = new Commits({
      log: { append: (records) => this.#append(records) },
      delayMs: options.commit,
      clock,
    });
    this.#cursors = new CursorSaver({
      clock,
      cursor: () => this.#cursor(),
      save: (cursor) => client.saveCursor(cursor),
      onFailure: (message) => report({ kind: "wal_cursor_failed", message }),
    });
    this.#restoreFates();
    this.keys = ledgerOf(recovered, options.keys ?? KEYS);
    this.#segments = new KeptSegments(recovered.segments);
    this.#marks = new OpenMarks(recovered.marks, (table, run, rows) =>
      rows.every((span) => this.#fatesOf(table).isKnown(run, span)),
    );
    this.#remover = new SegmentRemover({
      segments: this.#segments,
      marks: this.#marks,
      unknown: (table, run, first, last) => this.#fatesOf(table).unknown(run, first, last),
      answeredUpTo: () => this.keys.coveredUpTo,
      unlink: (segment) => client.unlink(segment),
      carry: (segment, rule) => this.#carry(segment, rule),
    });
    this.care = new LogCare({
      ...{ dir: options.dir, segments: this.#segments, remover: this.#remover, reader: this.#reader, report },
      fatesOf: (table) => this.#fatesOf(table),
      bufferOf: (table) => this.#buffers.get(table),
      setAside: (damage) => client.setAside(damage),
    });
  }

  /**
   * Takes the folder and recovers what is there.
   * @throws ColdpathError WAL_LOCKED, or why the log cannot be opened
   */
  static async open(options: WalOptions, context: WalContext): Promise<Wal> {
    const { dir, segment, max, reserve, emergencyDisk } = options;
    const { client, recovered } = await LogClient.open({
      dir,
      segmentBytes: segment,
      maxBytes: max,
      reserveBytes: reserve,
      emergencyDisk,
      report: context.report,
    });
    return new Wal(options, context, client, recovered);
  }

  /** The buffer of one table; its backlog is read from {@link start} on. */
  addTable(options: LoggedTable): LoggedBuffer {
    const { name } = options.table;
    const { clock, report } = this.#context;
    const buffer = new LoggedBuffer({
      ...options,
      clock,
      commits: this.#commits,
      fates: this.#fatesOf(name),
      reader: this.#reader,
      waiting: this.#waiting,
      refusing: (isFull) => this.#client.refusing(isFull),
      sealed: new SealedBatches(name, this.#recovered.marks),
      inherited: this.#inheritedOf(name),
      onSynced: options.onRoom,
      onGivenUp: (rows) => options.onDropped({ ...rows, reason: "purged", block: undefined }),
      onUnreadable: (message) => report({ kind: "wal_unreadable", table: name, message }),
      onMissing: ({ run, firstSeq, count }) =>
        report({ kind: "wal_rows_missing", table: name, run: run.toString(), firstSeq, rows: count }),
    });
    this.#buffers.set(name, buffer);
    this.#client.on("state", options.onRoom);
    return buffer;
  }

  /** What the sink tells of the batches of one table. */
  journalOf(table: string): Journal {
    const histories = new BatchHistories(table, this.#recovered.marks);
    return new LogJournal((records) => this.#append(records), this.#fatesOf(table), histories);
  }

  /** All tables are added: rows that earlier starts left are read back, those of other tables are told. */
  start(): void {
    for (const buffer of this.#buffers.values()) buffer.start();
    for (const [table, fates] of this.#runsByTable()) {
      if (this.#buffers.has(table)) continue;
      const rows = openRows(this.#fatesOf(table), fates);
      if (rows > 0) this.#context.report({ kind: "wal_rows_left", table, rows });
    }
  }

  /** Rows from there are in the log with their positions, and it is told when they are on disk. */
  addSource(source: RowSource): void {
    this.#commits.addSource(source);
  }

  /** By table, up to which position rows of this producer are in the log that was found at the start. */
  positionsOf(producer: bigint): ReadonlyMap<string, bigint> {
    return this.#recovered.positions.get(producer) ?? new Map();
  }

  /** Drawn when the log was made; a copy of it has the same. */
  get logId(): bigint {
    return this.#client.logId;
  }

  /** Whether all rows that were taken are on disk. */
  get isSynced(): boolean {
    return this.#commits.isIdle;
  }

  /** From now on segments go that nothing is needed of, as far as `stored` can tell. */
  trim(stored: StoredRows): void {
    const client = this.#client;
    const { keepAcked = KEEP_ACKED_MS, max } = this.#options;
    this.#trimmer = new Trimmer({
      ...this.#context,
      lookMs: Math.min(LOOK_MS, keepAcked / LOOKS),
      keepAckedMs: keepAcked,
      isPressed: () => client.stats().bytes > max * PRESSED_SHARE,
      segments: this.#segments,
      remover: this.#remover,
      fatesOf: (table) => this.#fatesOf(table),
      stored,
      onLost: (table, run, rows) => this.#buffers.get(table)?.lost(run, rows),
    });
    this.#trimmer.start();
  }

  /** Resolves when all rows taken before the call are on disk. */
  async durable(): Promise<void> {
    await this.#commits.durable();
  }

  stats(): WalStats {
    const buffers = [...this.#buffers];
    const since = buffers
      .map(([, buffer]) => buffer.pendingSince)
      .filter((time) => time !== undefined)
      .sort((one, other) => one - other)[0];
    return {
      ...this.#client.stats(),
      unsyncedRows: buffers.reduce((sum, [, buffer]) => sum + buffer.unsyncedRows, 0),
      logged: Object.fromEntries(buffers.map(([name, buffer]) => [name, buffer.syncedRows])),
      pending: Object.fromEntries(
        buffers.map(([name, buffer]) => [name, buffer.pendingRows + buffer.inheritedRows]),
      ),
      missing: Object.fromEntries(
        [...this.#fates].flatMap(([name, { missing }]) => (missing > 0 ? [[name, missing]] : [])),
      ),
      oldestPendingSeconds:
        since === undefined ? undefined : (this.#context.clock.monotonic() - since) / SECOND_MS,
      keys: {
        answers: this.keys.size,
        bytes: this.keys.bytes,
        forgottenEarly: this.keys.forgottenEarly,
      },
      behind: buffers.filter(([, buffer]) => buffer.isBehind).map(([name]) => name),
    };
  }

  /** Bytes of rows that wait for the disk, the most that ever did, and the most that may. */
  get waiting(): Pick<WaitingBytes, "bytes" | "peak" | "max"> {
    return this.#waiting;
  }

  /** Brings what was taken to disk, if the disk takes it by the deadline. */
  async settle(deadlineMs: number): Promise<void> {
    // What the log did not take is told by the count of rows that are not on disk.
    await within(this.#context.clock, deadlineMs, this.durable());
  }

  /** Saves what is known and lets go of the folder. The sink is closed by then. */
  async close(deadlineMs: number): Promise<void> {
    for (const buffer of this.#buffers.values()) buffer.end();
    const { clock } = this.#context;
    const endsAt = clock.monotonic() + deadlineMs;
    await within(clock, deadlineMs, this.#trimmer?.close() ?? Promise.resolve());
    await within(clock, endsAt - clock.monotonic(), this.#cursors.close());
    this.#coverKeys();
    await this.#client.close(Math.max(0, endsAt - clock.monotonic()));
  }

  async #append(records: readonly LogRecord[]): Promise<Committed> {
    const committed = await this.#client.append(records);
    this.#syncedUpTo = Math.max(this.#syncedUpTo, committed.upTo);
    const segment = committed.places.at(-1)!.place.segment;
    if (segment > this.#segment) this.#coverKeys();
    this.#segment = segment;
    this.#segments.committed(records, committed);
    this.#marks.committed(records, committed);
    return committed;
  }

  async #carry(segment: number, rule: CarryRule): Promise<Carried> {
    this.#reader.moving();
    const carried = await this.#client.carry(segment, rule);
    for (const { record, place } of carried.lost) {
      const { offset, length: bytes } = place;
      this.#context.report({
        kind: "wal_damage",
        segment,
        offset,
        bytes,
        reason: "the record cannot be read",
      });
      if (record.kind === "rows") this.#buffers.get(record.table)?.unreadable(record);
    }
    if (carried.elsewhere !== undefined) this.#tellMissing(segment, rule, carried.elsewhere);
    this.#reader.moved(carried.places);
    return carried;
  }

  /** The segment was removed, and not by us if what was needed of it is nowhere else. */
  #tellMissing(segment: number, { rows }: CarryRule, elsewhere: readonly IndexEntry[]): void {
    for (const { table, run, ranges } of rows) {
      const missing = new SeqSet(ranges);
      for (const { record } of elsewhere)
        if (record.kind === "rows" && record.table === table && record.run === run)
          missing.remove(record.firstSeq, record.firstSeq + record.count - 1);
      for (const { first, last } of missing.ranges) {
        const buffer = this.#buffers.get(table);
        const count = last - first + 1;
        buffer?.unreadable({ run, firstSeq: first, count });
        this.#context.report({
          kind: "wal_rows_missing",
          table,
          run: run.toString(),
          firstSeq: first,
          rows: count,
          segment,
        });
      }
    }
  }

  /** Saves the answers to keyed requests: those so far need no segment of the log any more. */
  #coverKeys(): void {
    const checkpoint = this.keys.checkpoint();
    if (checkpoint.upTo === this.keys.coveredUpTo) return;
    this.#client.saveLedger(checkpoint.bytes).then(
      () => this.keys.saved(checkpoint),
      // It was closed before. Their group ends are in the log.
      () => {},
    );
  }

  #fatesOf(table: string): RowFates {
    let fates = this.#fates.get(table);
    if (fates === undefined) {
      fates = new RowFates(table, () => this.#cursors.changed());
      this.#fates.set(table, fates);
    }
    return fates;
  }

  #restoreFates(): void {
    const { cursor, marks } = this.#recovered;
    const logged = this.#runsByTable();
    for (const { table, run, stored, skipped } of cursor?.tables ?? []) {
      // Else the cursor would grow with each start.
      if (logged.get(table)?.some((each) => each.run === run) !== true) continue;
      this.#fatesOf(table).stored(run, stored.map(spanOf));
      this.#fatesOf(table).skipped(run, skipped.map(spanOf));
    }
    for (const { record } of marks)
      if (record.kind === "skip") this.#fatesOf(record.table).skipped(record.run, [record]);
  }

  #cursor(): Cursor {
    const tables = [...this.#fates.values()].flatMap(({ runs }) => runs);
    return { logId: this.#client.logId, upTo: this.#syncedUpTo, tables };
  }

  #inheritedOf(table: string): Inherited {
    const { segments, nextOrdinal } = this.#recovered;
    const fates = this.#fatesOf(table);
    const runs = this.#runsByTable().get(table) ?? [];
    const open = segments.filter(({ tables }) => {
      const own = tables.filter((each) => each.table === table);
      return openRows(fates, own) > 0;
    });
    const after = open.reduce((lowest, each) => Math.min(lowest, each.firstOrdinal - 1), nextOrdinal - 1);
    // A damaged header does not tell when its segment was made.
    const times = open.map(({ createdAt }) => createdAt).filter((createdAt) => createdAt > 0);
    const since = times.length === 0 ? undefined : Math.min(...times);
    return { after, to: nextOrdinal - 1, since, runs };
  }

  #runsByTable(): Map<string, { readonly run: bigint; readonly ranges: readonly SeqRange[] }[]> {
    const found = new Map<string, { readonly run: bigint; readonly ranges: readonly SeqRange[] }[]>();
    for (const { tables } of this.#recovered.segments)
      for (const { table, run, ranges } of tables)
        found.set(table, [...(found.get(table) ?? []), { run, ranges }]);
    return found;
  }
}

const KEYS = { ttl: DAY_MS, memory: 32 * MIB };

function ledgerOf({ ledger, marks }: Recovered, keys: { ttl: number; memory: number }): Ledger {
  const options = { ttlMs: keys.ttl, maxBytes: keys.memory, now: Date.now };
  const known = ledger === undefined ? new Ledger(options) : Ledger.restore(ledger, options);
  for (const { ordinal, record } of marks) {
    if (record.kind !== "group_end") continue;
    const { key, bodyHash, status, answer, at } = record;
    known.replay(ordinal, { key, bodyHash, status, answer, at });
  }
  return known;
}

const KEEP_ACKED_MS: number = 5 * MINUTE_MS;
/** Milliseconds between two looks at what may leave the log, and how many there are at least while a row is kept. */
const LOOK_MS: number = 5 * SECOND_MS;
const LOOKS = 20;
/** Beyond this share of its size what cannot leave the log is moved out of the way of what can. */
const PRESSED_SHARE = 0.5;

/** Bytes of rows that may wait for the disk, of all that rows may take in memory. */
export function waitingMaxOf(memoryMax: number): number {
  return Math.min(8 * MIB, memoryMax / 4);
}

function openRows(
  fates: RowFates,
  runs: readonly { readonly run: bigint; readonly ranges: readonly SeqRange[] }[],
): number {
  let rows = 0;
  for (const { run, ranges } of runs)
    for (const { first, last } of ranges) rows += fates.openIn(run, first, last);
  return rows;
}

function spanOf({ first, last }: SeqRange): { firstSeq: number; count: number } {
  return { firstSeq: first, count: last - first + 1 };
}
