import { isDeepStrictEqual } from "node:util";
import type { Clock } from "./base/clock.js";
import { ColdpathError, type ErrorCode, messageOf } from "./base/errors.js";
import { nearest } from "./base/nearest.js";
import { MINUTE_MS, SECOND_MS } from "./base/units.js";
import type { Admission, AdmissionCounts } from "./buffer/admission.js";
import type { FlushLimits } from "./buffer/batch-limits.js";
import type { DropRule } from "./buffer/droppable-rows.js";
import type { Origin } from "./buffer/origin.js";
import type { RowBuffer } from "./buffer/row-buffer.js";
import { type GatheredRows, RowGroup } from "./buffer/row-group.js";
import type { Identity } from "./buffer/stamp.js";
import type { Ticket } from "./buffer/ticket.js";
import type { GapLedger } from "./gaps/gap-ledger.js";
import { Conservation, type ConservationStats } from "./health/conservation.js";
import type { ConservationEvent } from "./health/events.js";
import { RecentRows } from "./health/recent-rows.js";
import type { RowSums } from "./health/row-sums.js";
import type { Row } from "./native/block.js";
import { rowText } from "./native/row-text.js";
import { type LadderStep, type LevelRules, NORMAL, stricter } from "./overload/ladder.js";
import type { OverloadStats, TableOverload } from "./overload/table-overload.js";
import type { LeftOutReason, PolicyRules } from "./policy/policy.js";
import { dropRuleOf, MARKET_DATA, type PolicyShape, shapeOf } from "./policy/shape.js";
import { ThinnedTable } from "./policy/thinned-table.js";
import type { Table } from "./schemas/table.js";
import type { DeadLetters } from "./sink/dead-letters.js";
import type { RecorderEvent as SinkEvent } from "./sink/events.js";
import type { Lane, LaneStats, Pause } from "./sink/lane.js";

/** Rules, and for a table other than market_data what tells its series apart. */
export interface TablePolicy extends PolicyRules {
  readonly by: readonly string[];
  readonly news: readonly string[];
  readonly time: string;
}

/** What can be other while rows are taken; what is left out stays as it is. */
export interface TableChange {
  readonly flush?: FlushLimits;
  readonly policy?: TablePolicy;
  readonly degrade?: readonly LadderStep[];
}

/** Takes the rows of one table. */
export interface TableWriter {
  readonly table: Table;
  /** Whether rows go to the log before they go to ClickHouse. */
  readonly isLogged: boolean;
  /**
   * Takes a row, or gives undefined if there is no room for it: a critical table at its limit, counted as refused. A
   * best-effort table at its limit drops its oldest unsent batch instead. Keys that are no columns are ignored.
   * Without an origin, `source` and `source_seq` are read from the row.
   * @throws ValueError for a row that does not fit. It is not counted yet: hand it to {@link rejected}.
   * @throws ColdpathError RECORDER_CLOSED
   */
  offer(row: Row, origin?: Origin): Ticket | undefined;
  /** As {@link offer}, past the policy: for history, whose rows must be the same each time it is loaded. */
  offerWhole(row: Row, origin?: Origin): Ticket | undefined;
  /** Begins rows that are taken together or not at all; undefined for a table without a log. */
  group(): RowGroup | undefined;
  /** True if the next {@link offer} would refuse a row or drop some. */
  readonly full: boolean;
  /** Rows taken whose fate is not settled, and rows stored. */
  readonly pendingRows: number;
  readonly storedRows: number;
  /** Rows that are missing and not told of yet: by a gap that is on disk, or by `skipped` of a row that was kept. */
  readonly untoldRows: number;
  /** Drops what may be dropped for the next row; false if {@link offer} would refuse it all the same. */
  makeRoom(): boolean;
  /** Resolves once the table is no longer {@link full}, or the recorder closes: for intakes that can wait, such as files. */
  room(): Promise<void>;
  /**
   * Counts a row refused before it was taken and keeps it in the dead letters. Resolves when it is on disk, or when
   * that failed and was reported; an intake that reads much waits for it now and then, so that memory stays flat.
   */
  rejected(raw: string | Uint8Array, error: unknown, origin?: Origin): Promise<void>;
}

/**
 * Rows of one table. Always: offered = the sum of refused + accepted, and accepted = stored + pending.rows + deduplicated +
 * sampled + the sum of dropped + deadLettered.
 */
export interface TableStats extends AdmissionCounts, LaneStats, OverloadStats {
  /** Rows of a critical table are never left out or dropped. */
  readonly class: "critical" | "best_effort";
  /** Rows that earlier starts left in the log or the spool, by what became of them since; they are in no other count. */
  readonly inherited: LaneStats["inherited"] & { readonly dropped: number; readonly pending: number };
  /** Rows taken whose fate is not settled; rows that are held in memory, of earlier starts too, and their encoded bytes. */
  readonly pending: { readonly rows: number; readonly held: number; readonly bytes: number };
  readonly deduplicated: number;
  readonly sampled: number;
  /** Age of the oldest row that the sink has not taken, seconds. */
  readonly oldestSeconds: number | undefined;
  /** Whether the sums above hold, as of the last batch that was through or due. */
  readonly conservation: ConservationStats;
  /** Rows a second, in the last ten seconds or somewhat more. */
  readonly perSecond: { readonly offered: number; readonly stored: number };
  /** Share of its room for waiting rows that is taken. */
  readonly usage: number;
}

/** Over which rows a second are told. */
const RATE_MS: number = 10 * SECOND_MS;

/** Rows that are lost though they were on disk; `inherited` ones are not in this start's sums. */
interface LostRows {
  readonly reason: string;
  readonly inherited: boolean;
  readonly count: number;
}

/** What a {@link Writer} is made of. */
export interface WriterParts {
  readonly table: Table;
  readonly buffer: RowBuffer;
  readonly admission: Admission;
  /** Begins a group, if the table has a log. */
  readonly gather: (() => GatheredRows) | undefined;
  readonly lane: Lane;
  readonly isLogged: boolean;
  /** Rows that earlier starts left in the log and whose fate is not known. */
  readonly inheritedRows: () => number;
  readonly identity: Identity;
  readonly deadLetters: DeadLetters;
  readonly clock: Clock;
  readonly report: (event: SinkEvent | ConservationEvent) => void;
  readonly isClosed: () => boolean;
  readonly policy: TablePolicy | undefined;
  readonly overload: TableOverload;
  readonly gaps: GapLedger;
  /** Rows for which the rings they come from had no room: they were never offered here. */
  readonly refusedByRings: () => number;
}

/** The way of one table's rows: policy, admission, buffer, lane. */
export class Writer implements TableWriter {
  readonly table: Table;
  readonly isLogged: boolean;
  readonly buffer: RowBuffer;
  readonly #parts: WriterParts;
  readonly #admission: Admission;
  readonly #conservation: Conservation;
  readonly #recent: RecentRows;
  #waiting: (() => void)[] = [];
  #isClosed = false;
  #thinned: ThinnedTable | undefined;
  /** The user's, and what the level of the table asks for on top. */
  #policy: TablePolicy;
  #levelRules: LevelRules = NORMAL;
  #shape: PolicyShape;
  /** Rows that were held and then did not fit. */
  #deadLettered = 0;
  #inheritedDropped = 0;

  readonly lane: Lane;

  constructor(parts: WriterParts) {
    this.#parts = parts;
    this.lane = parts.lane;
    this.table = parts.table;
    this.isLogged = parts.isLogged;
    this.buffer = parts.buffer;
    this.#admission = parts.admission;
    const { report, clock } = parts;
    const sums = (): RowSums => this.#sums();
    this.#conservation = new Conservation({ table: this.table.name, sums, report });
    this.#recent = new RecentRows(clock, () => ({ ...sums(), refusedByRings: parts.refusedByRings() }));
    this.#policy = parts.policy ?? KEEP_ALL;
    this.#shape = this.#shapeOf(this.#policy);
    this.#applyRules();
    parts.gaps.addSource(() => this.#thinned?.takeGaps() ?? []);
  }

  offer(row: Row, origin?: Origin): Ticket | undefined {
    if (this.#isClosed) throw closed();
    return this.#thinned === undefined
      ? this.#admission.offer(row, origin)
      : this.#thinned.offer(row, origin);
  }

  offerWhole(row: Row, origin?: Origin): Ticket | undefined {
    if (this.#isClosed) throw closed();
    return this.#admission.offer(row, origin);
  }

  /**
   * Takes a row that the recorder writes of itself; undefined if there is no room, which is not counted as refused. At the end, too, if it is safe in
   * the log: what could not be kept is known then.
   */
  note(row: Row): Ticket | undefined {
    if ((this.#isClosed && !this.isLogged) || !this.#admission.makeRoom()) return undefined;
    return this.#admission.offer(row, undefined);
  }

  group(): RowGroup | undefined {
    if (this.#isClosed) throw closed();
    const { gather } = this.#parts;
    return gather === undefined ? undefined : new RowGroup(gather(), this.#admission);
  }

  /** Other limits, rules and steps from now on; what the old rules hold is let go. */
  change({ flush, policy, degrade }: TableChange): void {
    if (flush !== undefined) this.buffer.setFlush(flush);
    if (policy !== undefined) this.#setPolicy(policy);
    if (degrade !== undefined) this.#parts.overload.setSteps(degrade);
  }

  /** The user has other rules; those of the level still hold on top. */
  #setPolicy(policy: TablePolicy): void {
    this.#policy = policy;
    this.#shape = this.#shapeOf(policy);
    this.#applyRules();
  }

  /** Of the table's ladder; 0 is normal. */
  get level(): number {
    return this.#parts.overload.level;
  }

  /** The level of the table has changed; its rules hold on top of the user's. */
  setLevel(rules: LevelRules): void {
    const before = stricter(this.#policy, this.#levelRules);
    this.#levelRules = rules;
    // The same again would let go of what is held.
    this.#applyRules(!isDeepStrictEqual(before, stricter(this.#policy, rules)));
  }

  #applyRules(areOther = true): void {
    const rules = stricter(this.#policy, this.#levelRules);
    if (this.#thinned === undefined) {
      if (!thins(rules)) return;
      this.#thinned = this.#thinnedBy(rules);
    } else {
      this.#parts.gaps.flush();
      if (areOther) this.#thinned.change(rules, this.#shape);
    }
    this.#thinned.at(this.level, leftOutBeyond(this.#policy, rules));
  }

  /** What is to be known of rows that have to make room for others. */
  get dropRule(): DropRule {
    return dropRuleOf(this.#shape, this.table.columns);
  }

  /** Offers all rows to the sink, those that a policy holds included. */
  letGo(): void {
    this.releaseHeld();
    this.buffer.offerAll();
  }

  /** All that is held is offered, and what waits for its next try is tried at once. */
  tryNow(): void {
    this.letGo();
    this.#parts.lane.tryNow();
  }

  /** Rows are sent without that column from now on. */
  leaveOut(column: string): void {
    const { inserter } = this.#parts.lane;
    inserter.leftOut = new Set([...inserter.leftOut, column]);
  }

  /** Rows were lost that were on disk. */
  lost({ reason, inherited, count }: LostRows): void {
    if (inherited) this.#inheritedDropped += count;
    else this.#admission.lost(reason, count);
  }

  /** Why the table is paused, if it was tried and paused again since the call. */
  watchPause(): () => Pause | undefined {
    const { lane } = this.#parts;
    const before = lane.pauses;
    return () => (lane.pauses > before ? lane.paused : undefined);
  }

  /** Rows that a policy holds go on at once. */
  releaseHeld(): void {
    this.#thinned?.release();
  }

  closePolicy(): void {
    this.#thinned?.close();
  }

  #shapeOf(policy: TablePolicy): PolicyShape {
    return this.table.name === "market_data" ? MARKET_DATA : shapeOf(policy, this.table.columns);
  }

  #thinnedBy(rules: PolicyRules): ThinnedTable {
    const { gaps } = this.#parts;
    return new ThinnedTable({
      table: this.table.name,
      shape: this.#shape,
      rules,
      clock: this.#parts.clock,
      admission: this.#admission,
      onRefused: (row, error, origin) => {
        this.#deadLettered += 1;
        void this.#keep(rowText(row), error, origin);
      },
      onGap: (gap) => gaps.add(gap),
      onMissing: () => gaps.expect(),
    });
  }

  get pendingRows(): number {
    return this.buffer.pendingRows + (this.#thinned?.held ?? 0);
  }

  get storedRows(): number {
    return this.#parts.lane.storedRows;
  }

  get untoldRows(): number {
    return this.#parts.gaps.untoldOf(this.table.name) + (this.#thinned?.untold ?? 0);
  }

  /** Whether ClickHouse refuses its batches for a reason that time alone does not mend. */
  get isPaused(): boolean {
    return this.#parts.lane.paused !== undefined;
  }

  get full(): boolean {
    return this.#admission.full;
  }

  makeRoom(): boolean {
    return this.#admission.makeRoom();
  }

  async room(): Promise<void> {
    while (this.full && !this.#parts.isClosed())
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
      });
  }

  /** Some batch is through, or the recorder closes. */
  wake(): void {
    this.#isClosed = this.#parts.isClosed();
    this.#admission.look();
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  /** Looks whether all rows are counted once; not to be called within a step of the pipeline. */
  look(): void {
    this.#conservation.look();
    this.#recent.look();
  }

  /** Of the rows of the last minute, how many were dropped or had no room in a ring. */
  get dropShare(): number {
    const { offered, dropped, refusedByRings } = this.#recent.over(MINUTE_MS);
    const lost = dropped + refusedByRings;
    return lost === 0 ? 0 : Math.min(1, lost / (offered + refusedByRings));
  }

  async rejected(raw: string | Uint8Array, error: unknown, origin?: Origin): Promise<void> {
    this.#admission.refuse(codeOf(error).toLowerCase());
    await this.#keep(raw, error, origin);
  }

  /** Writes a row that was refused to the dead letters. */
  async #keep(raw: string | Uint8Array, error: unknown, origin: Origin | undefined): Promise<void> {
    const { identity, deadLetters, report } = this.#parts;
    const code = codeOf(error);
    try {
      await deadLetters.add({
        table: this.table.name,
        recorder: identity.recorder,
        run: identity.run.toString(),
        seq: null,
        source: origin?.source ?? null,
        source_seq: origin?.seq.toString() ?? null,
        code,
        reason: messageOf(error),
        body: typeof raw === "string" ? { text: raw } : { raw },
      });
    } catch (failure) {
      report({
        kind: "dead_letters_failed",
        table: this.table.name,
        rows: 1,
        message: messageOf(failure),
      });
    }
  }

  stats(): TableStats {
    const { lane, clock } = this.#parts;
    const { oldestAt, heldRows, pendingBytes } = this.buffer;
    const thinned = this.#thinned;
    const sent = lane.stats();
    const recent = this.#recent.over(RATE_MS);
    const perSecond = (rows: number): number => (recent.seconds === 0 ? 0 : rows / recent.seconds);
    return {
      class: this.#admission.class,
      ...this.#admission.counts(),
      ...sent,
      ...this.#parts.overload.stats(),
      inherited: {
        ...sent.inherited,
        dropped: this.#inheritedDropped,
        pending: this.#parts.inheritedRows(),
      },
      pending: { rows: this.pendingRows, held: heldRows, bytes: pendingBytes },
      deduplicated: thinned?.deduplicated ?? 0,
      sampled: thinned?.sampled ?? 0,
      deadLettered: sent.deadLettered + this.#deadLettered,
      oldestSeconds: oldestAt === undefined ? undefined : (clock.monotonic() - oldestAt) / SECOND_MS,
      conservation: this.#conservation.stats,
      perSecond: { offered: perSecond(recent.offered), stored: perSecond(recent.stored) },
      usage: this.buffer.usage,
    };
  }

  #sums(): RowSums {
    const { offered, accepted, refused, dropped } = this.#admission.counts();
    const { storedRows, deadLetteredRows } = this.#parts.lane;
    return {
      offered,
      accepted,
      refused: sumOf(refused),
      dropped: sumOf(dropped),
      stored: storedRows,
      pending: this.pendingRows,
      deduplicated: this.#thinned?.deduplicated ?? 0,
      sampled: this.#thinned?.sampled ?? 0,
      deadLettered: deadLetteredRows + this.#deadLettered,
    };
  }
}

function sumOf(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

/** The policy of a table that has none. */
const KEEP_ALL: TablePolicy = {
  dedup: "none",
  sample: 0,
  conflate: 0,
  series: 100_000,
  by: [],
  news: [],
  time: "",
};

/** That a recorder has no such table, and which was meant. */
export function unknownTable(name: string, tables: readonly string[]): ColdpathError {
  const close = nearest(name, tables);
  const hint = close === undefined ? `there are ${tables.join(", ")}` : `did you mean ${close}?`;
  return new ColdpathError("TABLE_UNKNOWN", `this recorder has no table ${name}: ${hint}`);
}

function closed(): ColdpathError {
  return new ColdpathError("RECORDER_CLOSED", "the recorder is closed");
}

function codeOf(error: unknown): ErrorCode {
  return error instanceof ColdpathError ? error.code : "INPUT_REJECTED";
}

/** Whether the rules leave anything out. */
function thins({ dedup, sample, conflate }: PolicyRules): boolean {
  return dedup !== "none" || sample > 0 || conflate > 0;
}

/** Why rows are left out that the user's own rules would keep. */
function leftOutBeyond(user: PolicyRules, rules: PolicyRules): ReadonlySet<LeftOutReason> {
  const reasons = new Set<LeftOutReason>();
  if (rules.dedup !== user.dedup) reasons.add("deduplicated");
  if (rules.sample !== user.sample || rules.conflate !== user.conflate) reasons.add("sampled");
  return reasons;
}
