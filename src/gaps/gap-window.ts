import type { Row } from "../native/block.js";
import { type Gap, type MissingOf, TOLD_BY_RING, TOLD_BY_SKIPPED } from "./gap.js";
import { COUNTED_MAX } from "./missing-rows.js";

/** All series are named up to here; of more, so many that miss most rows. */
const NAMED_MAX = 1000;
const NAMED_OF_MANY = 100;

/** Where a gap is: rows of one table that are missing for one reason, at one level. */
export type GapPlace = Pick<Gap, "table" | "reason" | "level"> & { readonly run: string | undefined };

/** What one window came to. */
export interface GapTotals extends GapPlace {
  readonly rows: number;
  readonly from: bigint | undefined;
  readonly to: bigint | undefined;
  readonly seqs: { readonly first: number; readonly last: number } | undefined;
  /** Series that miss rows, those that miss most first, and how many there are in all. */
  readonly named: readonly MissingOf[];
  readonly series: number;
  /** Rows of series that are not named, or not known. */
  readonly others: number;
}

/** Gaps of one place within a stretch of time, added up. */
export class GapWindow {
  readonly #place: GapPlace;
  readonly #by = new Map<string, { readonly series: Row; rows: number }>();
  #rows = 0;
  #from: bigint | undefined;
  #to: bigint | undefined;
  #first = Infinity;
  #last = -Infinity;
  readonly #onTold: (() => void)[] = [];

  constructor(place: GapPlace) {
    this.#place = place;
  }

  add({ rows, by = [], from, to, seqs, onTold }: Omit<Gap, "table" | "reason" | "level" | "run">): void {
    this.#rows += rows;
    for (const [series, missing] of by) this.#count(series, missing);
    if (from !== undefined && (this.#from === undefined || from < this.#from)) this.#from = from;
    if (to !== undefined && (this.#to === undefined || to > this.#to)) this.#to = to;
    this.#first = Math.min(this.#first, seqs?.first ?? Infinity);
    this.#last = Math.max(this.#last, seqs?.last ?? -Infinity);
    if (onTold !== undefined) this.#onTold.push(onTold);
  }

  /** It is written down for good. */
  told(): void {
    for (const onTold of this.#onTold) onTold();
  }

  /** Rows of the table of which nothing else tells. */
  untoldOf(table: string): number {
    const { reason } = this.#place;
    const isElsewhere = TOLD_BY_SKIPPED.has(reason) || TOLD_BY_RING.has(reason);
    return this.#place.table === table && !isElsewhere ? this.#rows : 0;
  }

  /** Counts what another window of the same place has counted. */
  join(other: GapWindow): void {
    const { rows, from, to, seqs } = other.totals();
    const by = [...other.#by.values()].map((each): MissingOf => [each.series, each.rows]);
    this.add({ rows, by, from, to, ...(seqs === undefined ? {} : { seqs }) });
    this.#onTold.push(...other.#onTold);
  }

  totals(): GapTotals {
    const all = [...this.#by.values()].sort((a, b) => b.rows - a.rows);
    const named = all.length <= NAMED_MAX ? all : all.slice(0, NAMED_OF_MANY);
    const told = named.reduce((sum, { rows }) => sum + rows, 0);
    return {
      ...this.#place,
      rows: this.#rows,
      from: this.#from,
      to: this.#to,
      seqs: this.#first > this.#last ? undefined : { first: this.#first, last: this.#last },
      named: named.map(({ series, rows }) => [series, rows]),
      series: all.length,
      others: this.#rows - told,
    };
  }

  #count(series: Row, rows: number): void {
    const key = Object.values(series).map(String).join("\u0000");
    const found = this.#by.get(key);
    if (found !== undefined) found.rows += rows;
    else if (this.#by.size < COUNTED_MAX) this.#by.set(key, { series, rows });
  }
}

/** Windows of different places are apart. */
export function placeKey({ table, reason, level, run }: GapPlace): string {
  return [table, reason, level, run ?? ""].join("\u0000");
}
