import assert from "node:assert";
import { join } from "node:path";
import { type Clock, systemClock } from "./base/clock.js";
import { ColdpathError } from "./base/errors.js";
import { SECOND_MS } from "./base/units.js";
import { Admission } from "./buffer/admission.js";
import { type ClassBudgets, classBudgets, memoryOf } from "./buffer/class-budgets.js";
import { EventWindow } from "./buffer/event-window.js";
import type { Identity } from "./buffer/stamp.js";
import type { ClickHouse, Settings } from "./clickhouse/client.js";
import type { Gap } from "./gaps/gap.js";
import { GapLedger } from "./gaps/gap-ledger.js";
import { gapRow } from "./gaps/gap-row.js";
import type { GapTotals } from "./gaps/gap-window.js";
import type { Written } from "./gaps/notes.js";
import { Health } from "./health/health.js";
import type { Row } from "./native/block.js";
import { Overload } from "./overload/overload.js";
import { RecorderNotes } from "./recorder-notes.js";
import type {
  RecorderChange,
  RecorderEvent,
  RecorderOptions,
  Report,
  Rings,
  TableOptions,
} from "./recorder-options.js";
import { askParts, hasTable, type RecorderParts } from "./recorder-parts.js";
import type { CloseReport, RecorderStats } from "./recorder-stats.js";
import { readTable } from "./schemas/introspect.js";
import type { Table } from "./schemas/table.js";
import { ClashWatch } from "./sink/clash-watch.js";
import type { DeadLetters } from "./sink/dead-letters.js";
import { guardedReport } from "./sink/guarded-report.js";
import { quorumSettings } from "./sink/insert-settings.js";
import type { Lane } from "./sink/lane.js";
import { LateStart } from "./sink/late-start.js";
import { requireGone } from "./sink/left-out.js";
import { Link } from "./sink/link.js";
import { Replay } from "./sink/replay.js";
import { ReplayWatch } from "./sink/replay-watch.js";
import { Sink } from "./sink/sink.js";
import { StoredCounter } from "./sink/stored-counter.js";
import { gapOf } from "./spool/gap-of.js";
import { Spool } from "./spool/spool.js";
import { type DroppedOnDisk, TableBuffers } from "./table-buffers.js";
import { type TableWriter, unknownTable, Writer } from "./table-writer.js";
import type { Ledger } from "./wal/ledger.js";
import type { LogCare } from "./wal/log-care.js";
import type { RowSource } from "./wal/row-source.js";
import { Wal, waitingMaxOf } from "./wal/wal.js";

export type * from "./recorder-types.js";
export { unknownTable } from "./table-writer.js";

const IN_FLIGHT = 2;
/** What was taken is brought to disk even if there is no time left: that takes no longer than the disk does. */
const LOG_CLOSE_MS: number = SECOND_MS;
const DEADLINE_MS: number = 30 * SECOND_MS;

/** Takes rows of several tables and lands them in ClickHouse: the composition of the stages, on the caller's thread. */
export class Recorder {
  readonly #identity: Identity;
  readonly #clickhouse: ClickHouse;
  readonly #link: Link;
  readonly #sink: Sink;
  readonly #stored: StoredCounter;
  readonly #budgets: ClassBudgets;
  readonly #overload: Overload;
  readonly #deadLetters: DeadLetters;
  readonly #clock: Clock;
  readonly #report: Report;
  readonly #replays: ReplayWatch;
  /** Known once ClickHouse has answered. */
  #settings: Settings | undefined;
  #clashes: ClashWatch | undefined;
  #late: LateStart | undefined;
  readonly #writers = new Map<string, Writer>();
  readonly #gaps: GapLedger;
  readonly #notes: RecorderNotes;
  readonly #wal: Wal | undefined;
  readonly #spool: Spool | undefined;
  readonly #buffers: TableBuffers;
  readonly #health: Health;
  #rings: Rings | undefined;
  #isClosed = false;

  private constructor(options: RecorderOptions, parts: RecorderParts) {
    const { recorder, env, clickhouse } = options;
    this.#identity = parts.identity;
    this.#clickhouse = clickhouse;
    this.#deadLetters = parts.deadLetters;
    this.#clock = options.clock ?? systemClock;
    this.#wal = parts.wal;
    // What waits for the disk has room of its own, which others cannot take.
    const reserve = this.#wal === undefined ? 0 : waitingMaxOf(options.memory.max);
    this.#budgets = classBudgets(options.memory.max, reserve, options.memory.critical_reserve ?? 0);
    this.#notes = new RecorderNotes(this.#clock, () => this.#writers.get("system_events"));
    this.#gaps = new GapLedger({ clock: this.#clock, write: (gap) => this.#writeGap(gap) });
    const random = options.random ?? Math.random;
    const deadlineMs = options.deadlineMs ?? DEADLINE_MS;
    const shared = { clickhouse, clock: this.#clock, random, budget: this.#budgets.all };
    const report: Report = (event) => {
      parts.report(event);
      this.#notes.event(event);
      if (event.kind !== "link") return;
      this.#wake();
      if (event.to === "recovering") this.#replays.begin("outage");
    };
    this.#report = report;
    this.#replays = new ReplayWatch({ clock: this.#clock, report, watch: () => this.#watchLogged() });
    this.#settings = parts.met?.settings;
    this.#link = new Link({ ...shared, report }, parts.met?.life);
    this.#overload = new Overload({ ...shared, link: this.#link, report });
    this.#sink = new Sink({
      ...shared,
      ...parts,
      report,
      link: this.#link,
      dumpFolder: join(options.deadLettersDir, "requests"),
      inFlight: options.inFlight ?? IN_FLIGHT,
      deadlineMs,
      onSettled: () => {
        for (const writer of this.#writers.values()) writer.wake();
        this.#health.lookSoon();
      },
    });
    this.#spool =
      options.spool &&
      new Spool(options.spool, {
        ...{ clock: this.#clock, report },
        isDown: () => this.#link.state === "down",
        mayReplay: () => this.#link.state !== "down" && !this.#isLogBehind,
        onDue: () => this.#sink.wake(),
      });
    this.#health = new Health({
      ...{ clock: this.#clock, limits: options.conditions, tables: this.#writers, report },
      spoolOf: (table) => this.#spool?.stats()[table],
    });
    this.#stored = new StoredCounter({ clickhouse, link: this.#link, tables: parts.tables, deadlineMs });
    assert(recorder !== "" && env !== "", "recorder and env are named");
    this.#buffers = new TableBuffers({
      identity: parts.identity,
      window: new EventWindow(options.accept, this.#clock),
      budgets: this.#budgets,
      clock: this.#clock,
      wal: this.#wal,
      spool: this.#spool,
      onDue: () => this.#wake(),
      onRoom: (table) => this.#writers.get(table)?.wake(),
      onDropped: (table, rows) => this.#lostOnDisk(table, rows),
    });
    const quorum = options.quorum === true ? quorumSettings(deadlineMs) : {};
    for (const table of parts.tables) {
      const tableOptions = options.tables[table.name]!;
      const own = tableOptions.class === "critical" ? quorum : {};
      const settings = (): Settings => ({ ...this.#settings, ...own });
      const writer = this.#writerOf(table, tableOptions, settings);
      for (const column of options.leaveOut?.[table.name] ?? []) writer.leaveOut(column);
      this.#writers.set(table.name, writer);
    }
  }

  /**
   * Opens the log, reads the tables from ClickHouse, draws this start's `run` and registers it.
   * @throws ColdpathError TABLE_UNKNOWN, PARTITION_UNSUPPORTED, TYPE_UNSUPPORTED, SCHEMA_MISMATCH, CLICKHOUSE_UNREACHABLE, WAL_LOCKED
   */
  static async open(options: RecorderOptions): Promise<Recorder> {
    const report = guardedReport<RecorderEvent>(options.report ?? (() => {}));
    if (options.wal === undefined || !hasTable(options, "wal"))
      return await Recorder.#open(options, report, undefined);
    const waitingMax = waitingMaxOf(options.memory.max);
    const wal = await Wal.open(options.wal, { clock: options.clock ?? systemClock, report, waitingMax });
    try {
      return await Recorder.#open(options, report, wal);
    } catch (error) {
      await wal.close(LOG_CLOSE_MS);
      throw error;
    }
  }

  static async #open(options: RecorderOptions, report: Report, wal: Wal | undefined): Promise<Recorder> {
    const parts = await askParts(options, report, wal);
    const { met, identity, start } = parts;
    const { clickhouse } = options;
    const opened = new Recorder(options, parts);
    await opened.#spool?.open();
    if (met !== undefined) {
      opened.#clashes = await ClashWatch.start({ clickhouse, identity, log: start.log, report });
      wal?.trim(opened.#stored);
    }
    opened.#sink.start();
    opened.#overload.start();
    opened.#health.start();
    wal?.start();
    if (met === undefined) opened.#awaitClickHouse(options, parts);
    opened.#replays.begin("start");
    return opened;
  }

  /** Takes rows from now on, and asks what a start asks when ClickHouse answers. */
  #awaitClickHouse(options: RecorderOptions, { start, away }: RecorderParts): void {
    const { tables, seen, reason } = away!;
    const { clickhouse, checks, random = Math.random } = options;
    const laneOf = (table: string): Lane => this.#writers.get(table)!.lane;
    const context = { clickhouse, random, laneOf, report: this.#report, identity: this.#identity };
    const late = new LateStart({ ...context, start, tables, rights: checks?.rights });
    this.#late = late;
    this.#report({ kind: "started_away", reason, seen });
    this.#link.awaitFirst(reason, async () => {
      const { settings, clashes } = await late.meet();
      this.#settings = settings;
      this.#clashes = clashes;
      if (this.#isClosed) clashes.close();
      else this.#wal?.trim(this.#stored);
    });
  }

  /** Whether ClickHouse has answered, and what a start asks of it was asked. */
  get hasMet(): boolean {
    return this.#settings !== undefined;
  }

  /** The 64 random bits that name this start. */
  get run(): bigint {
    return this.#identity.run;
  }

  /** The keyed requests that were answered; undefined without a log. */
  get keys(): Ledger | undefined {
    return this.#wal?.keys;
  }

  /** What operators do with the log; undefined without one. */
  get log(): LogCare | undefined {
    return this.#wal?.care;
  }

  /** @throws ColdpathError TABLE_UNKNOWN for a table that the recorder was not opened with. */
  table(name: string): TableWriter {
    const writer = this.#writers.get(name);
    if (writer !== undefined) return writer;
    throw unknownTable(name, [...this.#writers.keys()]);
  }

  /**
   * Sends what was taken before the call, by earlier starts too, and resolves when its fate is known: stored, dropped or in the dead letters.
   * While ClickHouse is away that may be long; at the latest when the recorder is closed, whose report tells what was left.
   */
  async flush(table?: string): Promise<void> {
    if (table !== undefined) this.table(table);
    const writers = table === undefined ? [...this.#writers.values()] : [this.#writers.get(table)!];
    for (const writer of writers) writer.releaseHeld();
    this.#gaps.flush();
    for (const writer of writers) writer.letGo();
    await Promise.all(writers.map((writer) => writer.buffer.settled()));
    await this.replayed(table).catch((error: unknown) => {
      if (!this.#isClosed) throw error;
    });
  }

  /** Resolves when all rows of tables with a log that were taken before the call are on disk; at once for the others. */
  async durable(): Promise<void> {
    for (const name of this.#buffers.logged.keys()) this.#writers.get(name)!.releaseHeld();
    await this.#wal?.durable();
  }

  /**
   * Resolves when the fate of all rows is known that earlier starts left in the log or the spool, but for those that are damaged there.
   * @throws ColdpathError TABLE_UNKNOWN, RECORDER_CLOSED
   */
  async replayed(table?: string): Promise<void> {
    if (table !== undefined) this.table(table);
    const names = table === undefined ? [...this.#writers.keys()] : [table];
    await this.#buffers.replayed(names);
  }

  /**
   * From now on, as long as it is open, rows are sent without a column that the table has not any more; what it holds is kept in the dead letters first.
   * @throws ColdpathError TABLE_UNKNOWN; USAGE if the table has the column
   */
  async leaveOut(table: string, column: string): Promise<void> {
    this.table(table);
    requireGone(await readTable(this.#clickhouse, table), column);
    this.#writers.get(table)!.leaveOut(column);
  }

  /** Rows in the log are tried at once, also those of tables that are paused; the result tells how far they are. */
  replay(): Replay {
    const replay = this.#watchLogged();
    for (const table of this.#buffers.logged.keys()) this.#writers.get(table)!.tryNow();
    return replay;
  }

  #watchLogged(): Replay {
    return new Replay(
      [...this.#buffers.logged].map(([table, buffer]) => ({
        table,
        pending: buffer.watchPending(),
        paused: this.#writers.get(table)!.watchPause(),
      })),
    );
  }

  /** Rows are missing that never came to a table's writer, or were lost behind it. */
  addGap(gap: Omit<Gap, "level">): void {
    this.#gaps.add(this.#withLevel(gap));
  }

  /** Asked every ten seconds for such gaps. */
  watchGaps(source: () => Iterable<Omit<Gap, "level">>): void {
    this.#gaps.watch(() => [...source()].map((gap) => this.#withLevel(gap)));
  }

  /** Rows come from rings, and can wait there, or find no room. */
  watchRings(rings: Rings): void {
    this.#rings = rings;
    this.#overload.watchRings(() => rings.sign());
  }

  /** Rows of an earlier start that were in the spool of a table when this one began, by number. */
  spooledOf(table: string, run: bigint): readonly { readonly first: number; readonly last: number }[] {
    return this.#spool?.foundOf(table, run) ?? [];
  }

  /** Rows of tables with a log that come from there are logged with their positions. */
  addSource(source: RowSource): void {
    this.#wal?.addSource(source);
  }

  /** By table, up to which position rows of this producer were in the log when the recorder was opened. */
  loggedPositions(producer: bigint): ReadonlyMap<string, bigint> {
    return this.#wal?.positionsOf(producer) ?? new Map();
  }

  /** Whether no row waits for the log. */
  get isSynced(): boolean {
    return this.#wal?.isSynced ?? true;
  }

  /** Takes no more rows, stores what it has until the deadline, and says what it could not store. */
  async close({ deadlineMs }: { deadlineMs: number }): Promise<CloseReport> {
    for (const writer of this.#writers.values()) writer.closePolicy();
    this.#gaps.flush();
    this.#isClosed = true;
    this.#overload.close();
    this.#health.close();
    this.#clashes?.close();
    this.#late?.close();
    this.#replays.close();
    for (const writer of this.#writers.values()) writer.wake();
    const endsAt = this.#clock.monotonic() + deadlineMs;
    const left = await this.#sink.close(deadlineMs);
    for (const [table, rows] of this.#buffers.lost(left)) this.addGap({ table, reason: "closed", rows });
    this.#gaps.close();
    this.#notes.close();
    this.#stored.close();
    await this.#deadLetters.close();
    const logEndsAt = Math.max(endsAt, this.#clock.monotonic() + LOG_CLOSE_MS);
    await this.#wal?.settle(logEndsAt - this.#clock.monotonic());
    this.#health.look();
    const { tables } = this.stats();
    const rows = [...left].map(([name, rows]) => [
      name,
      { ...tables[name]!, ...this.#buffers.leftBehind(name, rows) },
    ]);
    await this.#spool?.close(logEndsAt - this.#clock.monotonic());
    await this.#wal?.close(logEndsAt - this.#clock.monotonic());
    return { tables: Object.fromEntries(rows) };
  }

  /**
   * Other limits, rules and steps from now on, also for rows that are not with the sink; all of it, or nothing.
   * @throws ColdpathError TABLE_UNKNOWN, RECORDER_CLOSED
   */
  change({ tables, conditions }: RecorderChange): void {
    if (this.#isClosed) throw new ColdpathError("RECORDER_CLOSED", "the recorder is closed");
    for (const name of Object.keys(tables)) this.table(name);
    for (const [name, change] of Object.entries(tables)) this.#writers.get(name)!.change(change);
    if (conditions !== undefined) this.#health.setLimits(conditions);
  }

  /** Writes a row of `system_events` of what was done to the recorder, as soon as there is room. */
  note(row: Row): void {
    this.#notes.add(row);
  }

  stats(): RecorderStats {
    const { state, reason, seconds, lastLife: life, probeError } = this.#link;
    return {
      recorder: this.#identity.recorder,
      run: this.#identity.run.toString(),
      link: { state, reason, seconds, life, probeError },
      memory: memoryOf(this.#budgets.all, this.#wal?.waiting),
      tables: Object.fromEntries([...this.#writers].map(([name, writer]) => [name, writer.stats()])),
      conditions: this.#health.conditions,
      ...(this.#wal === undefined ? {} : { wal: this.#wal.stats() }),
      ...(this.#spool === undefined ? {} : { spool: this.#spool.stats() }),
      ...(this.#replays.stats === undefined ? {} : { replay: this.#replays.stats }),
    };
  }

  #writerOf(table: Table, options: TableOptions, settings: () => Settings): Writer {
    const buffer = this.#buffers.add(table, options);
    const logged = this.#buffers.logged.get(table.name);
    const journal = this.#buffers.journalOf(table.name);
    const overload = this.#overload.add({
      table: table.name,
      steps: options.degrade,
      lateMax: options.queue.age,
      buffer,
      budget: this.#budgets[options.class],
      isPaused: () => writer.isPaused,
      apply: (rules) => writer.setLevel(rules),
    });
    const admission = new Admission({
      table: table.name,
      class: options.class,
      buffer,
      budget: logged === undefined ? this.#budgets[options.class] : undefined,
      permit: overload,
      onTurn: (kind, reason) => this.#report({ kind, table: table.name, reason }),
      dropRule: () => writer.dropRule,
      onDropped: (reason, { rows, skipped, by, from, to }) => {
        this.#report({ kind: "dropped", table: table.name, reason, rows });
        this.addGap({ table: table.name, reason, rows: rows + skipped, by, from, to });
      },
    });
    const writer = new Writer({
      table,
      buffer,
      admission,
      gather: logged && (() => logged.gather()),
      lane: this.#sink.addLane(table, buffer, settings, journal),
      isLogged: logged !== undefined,
      inheritedRows: () => this.#buffers.inheritedRows(table.name),
      identity: this.#identity,
      deadLetters: this.#deadLetters,
      clock: this.#clock,
      report: this.#report,
      isClosed: () => this.#isClosed,
      policy: options.policy,
      overload,
      gaps: this.#gaps,
      refusedByRings: () => this.#rings?.refusedOf(table.name) ?? 0,
    });
    return writer;
  }

  /** Something can be sent, or the link is another. */
  #wake(): void {
    this.#sink.wake();
    this.#spool?.look();
    this.#health.lookSoon();
  }

  /** Whether rows of the log wait that go before those of the spool. */
  get #isLogBehind(): boolean {
    return [...this.#buffers.logged].some(
      ([name, { isBehind }]) => isBehind && this.#writers.get(name)?.isPaused === false,
    );
  }

  /** Rows of the spool or the log were given up. */
  #lostOnDisk(table: string, lost: DroppedOnDisk): void {
    const writer = this.#writers.get(table)!;
    writer.lost(lost);
    this.#report({ kind: "dropped", table, reason: lost.reason, rows: lost.count });
    this.addGap(gapOf(table, lost, writer.dropRule));
  }

  #withLevel(gap: Omit<Gap, "level">): Gap {
    return { ...gap, level: this.#writers.get(gap.table)!.level };
  }

  /** Rows that are missing are told of; undefined if there is no room to write that down. */
  #writeGap(gap: GapTotals): Written | undefined {
    const written = this.#notes.write(gapRow(gap, this.#clock.wall()));
    if (written === undefined) return undefined;
    const { table, reason, level, rows } = gap;
    this.#report({ kind: "data_gap", table, reason, level, rows, series: gap.series });
    return written;
  }
}
