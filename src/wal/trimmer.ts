import type { Clock } from "../base/clock.js";
import { ColdpathError, messageOf } from "../base/errors.js";
import { MINUTE_MS } from "../base/units.js";
import type { KeptSegment, KeptSegments } from "./kept-segments.js";
import type { SegmentRemover } from "./segment-remover.js";
import { type SeqRange, SeqSet } from "./seq-set.js";
import type { TrimEvent } from "./trim-event.js";

/** One life of ClickHouse. */
export interface Life {
  /** Counts the lives that were seen. */
  readonly number: number;
  /** Milliseconds since 1970, by ClickHouse's clock. */
  readonly startedAt: number;
}

/** What ClickHouse holds, by run and number. Each question throws if there is no answer that can be believed. */
export interface StoredRows {
  life(): Promise<Life>;
  /** How many of the rows are there. */
  count(table: string, run: bigint, rows: SeqRange): Promise<number>;
  /** Which of the rows are there, in ascending order. */
  find(table: string, run: bigint, rows: SeqRange): Promise<readonly SeqRange[]>;
  /** Materialized views that are filled by INSERTs into the table, as `database.view`. */
  views(table: string): Promise<readonly string[]>;
}

/** What is known of the rows of one table. */
export interface TrimmedFates {
  /** Those known to be in ClickHouse, in ascending order. */
  storedOf(run: bigint, first: number, last: number): readonly SeqRange[];
  /** Rows known to be in ClickHouse are not there any more: their fate is unknown again. */
  lost(run: bigint, rows: readonly SeqRange[]): void;
}

export interface TrimmerOptions {
  readonly clock: Clock;
  /** Milliseconds between two looks. */
  readonly lookMs: number;
  /** Milliseconds for which ClickHouse must have lived since the last row of a segment was stored. */
  readonly keepAckedMs: number;
  /** Whether the log is so large that what cannot go is moved out of the way. */
  readonly isPressed: () => boolean;
  readonly segments: KeptSegments;
  readonly remover: SegmentRemover;
  readonly fatesOf: (table: string) => TrimmedFates;
  readonly stored: StoredRows;
  /** These rows have to be stored again. */
  readonly onLost: (table: string, run: bigint, rows: readonly SeqRange[]) => void;
  readonly report: (event: TrimEvent) => void;
}

/** The first life that was seen. */
const FIRST_LIFE = 1;
/** Rows asked for at once. */
const ASK_ROWS = 250_000;
/** So much may two hosts' clocks differ. */
const CLOCKS_MS: number = 10 * MINUTE_MS;
/** A segment with more rows of unknown fate than this share is not worth copying. */
const CARRY_SHARE = 0.5;

/**
 * Removes segments that nothing is needed of. Not when ClickHouse says that the rows are stored, but when it has lived for a while since
 * and still counts them: a host that loses power loses what it stored last.
 */
export class Trimmer {
  readonly #options: TrimmerOptions;
  /** Segments whose stored rows were not counted in this life of ClickHouse. */
  #unchecked: Set<KeptSegment>;
  #life: Life | undefined;
  /** When this life was first seen, monotonic milliseconds. */
  #since = 0;
  /** Since when so many rows of a segment have had an unknown fate. */
  readonly #settled = new WeakMap<KeptSegment, { readonly unknown: number; readonly at: number }>();
  /** Tables with rows that an earlier life of ClickHouse stored, and how many of them it lost: their views are to be told of. */
  readonly #doubtful = new Map<string, number>();
  /** Rows that were told as gone, by run and table. */
  readonly #gone = new Map<string, SeqSet>();
  #round: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;
  /** What failed last. */
  #trouble: string | undefined;

  constructor(options: TrimmerOptions) {
    this.#options = options;
    this.#unchecked = new Set(options.segments.all);
  }

  /** Looks now and then, until {@link close}. */
  start(): void {
    // The life that rows of this start go to first; one that cannot be asked now is asked at the first look.
    this.#options.stored.life().catch(() => {});
    this.#timer = setInterval(() => {
      if (this.#round === undefined) void this.look();
    }, this.#options.lookMs).unref();
  }

  /** Looks now, once what is looked at is through. A failure is reported once, until it is of another kind or passes. */
  async look(): Promise<void> {
    await this.#round;
    this.#round = this.#look().then(
      () => {
        this.#trouble = undefined;
      },
      (error: unknown) => {
        const kind = error instanceof ColdpathError ? error.code : messageOf(error);
        // That ClickHouse is away is told by the link.
        if (!this.#isClosed && kind !== this.#trouble && kind !== "CLICKHOUSE_UNREACHABLE")
          this.#options.report({ kind: "wal_not_trimmed", message: messageOf(error) });
        this.#trouble = kind;
      },
    );
    await this.#round;
    this.#round = undefined;
  }

  /** Resolves when nothing is under way. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#timer);
    await this.#round;
  }

  async #look(): Promise<void> {
    const { segments, clock, stored } = this.#options;
    if (segments.all.length === 0) return;
    const life = await stored.life();
    const isFirst = this.#life === undefined && life.number === FIRST_LIFE;
    if (life.number !== this.#life?.number) {
      // The first look is a change, too: nobody knows what became of ClickHouse while we were away.
      this.#life = life;
      this.#since = clock.monotonic();
      this.#unchecked = new Set(segments.all);
    }
    for (const segment of segments.all) {
      if (this.#isClosed) return;
      if (!this.#unchecked.has(segment)) continue;
      const isOurs = isFirst && segment.createdAt === undefined;
      const inOneLife = this.#wasMadeIn(segment, life);
      if (!isOurs && !inOneLife) this.#doubt(segment);
      await this.#verify(segment, inOneLife);
      this.#unchecked.delete(segment);
    }
    await this.#tellViews();
    this.#options.remover.look();
    for (const segment of segments.closed) {
      if (this.#isClosed) return;
      await this.#consider(segment);
    }
  }

  /** An earlier life stored rows of it. */
  #doubt({ tables }: KeptSegment): void {
    const { fatesOf } = this.#options;
    for (const { table, run, rows } of tables)
      if (rows.ranges.some(({ first, last }) => fatesOf(table).storedOf(run, first, last).length > 0))
        this.#doubtful.set(table, this.#doubtful.get(table) ?? 0);
  }

  /** No count says what became of a view's table, so whoever reads it is told. */
  async #tellViews(): Promise<void> {
    const { stored, report } = this.#options;
    for (const [table, rows] of [...this.#doubtful]) {
      const views = await stored.views(table);
      this.#doubtful.delete(table);
      if (views.length > 0) report({ kind: "views_doubtful", table, views, rows });
    }
  }

  /** Whether all that the segment has was stored in this life of ClickHouse, whatever the hosts' clocks say. */
  #wasMadeIn({ createdAt }: KeptSegment, { startedAt }: Life): boolean {
    return createdAt !== undefined && createdAt > 0 && startedAt + CLOCKS_MS < createdAt;
  }

  /** Lets the segment go if it can. */
  async #consider(segment: KeptSegment): Promise<void> {
    const { clock, keepAckedMs, isPressed, stored, remover } = this.#options;
    const unknown = remover.neededOf(segment);
    const open = sizeOf(unknown.flatMap(({ ranges }) => ranges));
    const now = clock.monotonic();
    if (this.#settled.get(segment)?.unknown !== open) this.#settled.set(segment, { unknown: open, at: now });
    const all = segment.tables.reduce((sum, { rows }) => sum + rows.size, 0);
    if (open > 0 && (!isPressed() || open > all * CARRY_SHARE)) return;
    if (now - Math.max(this.#settled.get(segment)!.at, this.#since) < keepAckedMs) return;
    if (!(await this.#verify(segment, true))) return;
    if ((await stored.life()).number === this.#life?.number)
      await remover.alone(() => remover.remove(segment, unknown));
  }

  /**
   * Counts the rows of the segment that are said to be stored; gives whether they may be believed to be. Of rows that are missing:
   * a life of ClickHouse that stored them and goes on does not lose them, so somebody removed them, or they expired; another life may
   * have lost them, and they are stored again.
   */
  async #verify(segment: KeptSegment, inOneLife: boolean): Promise<boolean> {
    const { fatesOf, onLost, report } = this.#options;
    let isWhole = true;
    for (const { table, run, rows } of segment.tables) {
      const gone = this.#goneOf(table, run);
      const stored = rows.ranges
        .flatMap(({ first, last }) => fatesOf(table).storedOf(run, first, last))
        .flatMap(({ first, last }) => gone.missingIn(first, last));
      const missing = await this.#missing(table, run, stored);
      if (missing.length === 0) continue;
      const where = { table, run: run.toString(), firstSeq: missing[0]!.first, rows: sizeOf(missing) };
      if (inOneLife) {
        for (const { first, last } of missing) gone.add(first, last);
        report({ kind: "wal_rows_gone", ...where });
        continue;
      }
      isWhole = false;
      fatesOf(table).lost(run, missing);
      report({ kind: "wal_rows_lost", ...where });
      this.#doubtful.set(table, (this.#doubtful.get(table) ?? 0) + where.rows);
      onLost(table, run, missing);
    }
    return isWhole;
  }

  async #missing(table: string, run: bigint, rows: readonly SeqRange[]): Promise<SeqRange[]> {
    const { stored } = this.#options;
    const missing: SeqRange[] = [];
    for (const ranges of inParts(rows)) {
      const part = { first: ranges[0]!.first, last: ranges.at(-1)!.last };
      // Between several ranges are rows of unknown fate, and a count would not tell them apart.
      if (ranges.length === 1 && (await stored.count(table, run, part)) === sizeOf(ranges)) continue;
      const there = new SeqSet(await stored.find(table, run, part));
      missing.push(...ranges.flatMap(({ first, last }) => there.missingIn(first, last)));
    }
    return missing;
  }

  #goneOf(table: string, run: bigint): SeqSet {
    const key = `${run}/${table}`;
    let gone = this.#gone.get(key);
    if (gone === undefined) {
      gone = new SeqSet();
      this.#gone.set(key, gone);
    }
    return gone;
  }
}

function sizeOf(ranges: readonly SeqRange[]): number {
  return ranges.reduce((sum, { first, last }) => sum + last - first + 1, 0);
}

/** The same rows in pieces that can be asked for at once. */
function inParts(ranges: readonly SeqRange[]): SeqRange[][] {
  const parts: SeqRange[][] = [];
  for (const { first, last } of ranges) {
    for (let from = first; from <= last; from += ASK_ROWS) {
      const piece = { first: from, last: Math.min(last, from + ASK_ROWS - 1) };
      const part = parts.at(-1);
      if (part !== undefined && piece.last - part[0]!.first < ASK_ROWS) part.push(piece);
      else parts.push([piece]);
    }
  }
  return parts;
}
