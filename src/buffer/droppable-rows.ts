import type { MissingOf } from "../gaps/gap.js";
import { BlockBuilder, type Row } from "../native/block.js";
import { columnsOf } from "../native/block-header.js";
import type { Droppable } from "./drop-permit.js";

/** What is to be known of a table's rows when some of them are dropped to make room for others. */
export interface DropRule {
  /** Columns that tell one series of rows from another; none if that is not known. */
  readonly by: readonly string[];
  /** Column of nanoseconds that says when; undefined if there is none. */
  readonly time: string | undefined;
  /** Whether rows of the series are the first to go; the others go last of all. */
  readonly isFirst: (series: Row) => boolean;
}

/** Rows that were dropped. */
export interface DroppedRows {
  readonly rows: number;
  /** Rows left out before them that they would have told of. */
  readonly skipped: number;
  /** By series, how many of either kind. */
  readonly by: readonly MissingOf[];
  /** Time of the first and the last, nanoseconds since the Unix epoch. */
  readonly from: bigint | undefined;
  readonly to: bigint | undefined;
}

/** A run of rows, [from, to). */
export interface Run {
  readonly from: number;
  readonly to: number;
}

interface Series {
  readonly values: Row;
  readonly goes: boolean;
  missing: number;
}

/** Tells the rows of a builder that may be dropped from the others, which stay. */
export function sortOut(
  builder: BlockBuilder,
  rule: DropRule,
  which: Droppable,
): { readonly dropped: DroppedRows | undefined; readonly kept: readonly Run[] } {
  const series = new SeriesOf(builder, rule, which);
  const kept: { from: number; to: number }[] = [];
  const tellsSkipped = builder.columns.includes("skipped");
  let rows = 0;
  let skipped = 0;
  let from: bigint | undefined;
  let to: bigint | undefined;
  for (let row = 0; row < builder.rows; row += 1) {
    const its = series.of(row);
    if (!its.goes) {
      const run = kept.at(-1);
      if (run?.to === row) run.to += 1;
      else kept.push({ from: row, to: row + 1 });
      continue;
    }
    const before = tellsSkipped ? Number(builder.valueKey("skipped", row) ?? 0) : 0;
    its.missing += 1 + before;
    skipped += before;
    rows += 1;
    if (rule.time === undefined) continue;
    const at = builder.int64Of(rule.time, row);
    if (from === undefined || at < from) from = at;
    if (to === undefined || at > to) to = at;
  }
  if (rows === 0) return { dropped: undefined, kept };
  const by = rule.by.length === 0 ? [] : series.all.filter(({ goes }) => goes);
  return {
    dropped: {
      rows,
      skipped,
      by: by.map(({ values, missing }) => [values, missing]),
      from,
      to,
    },
    kept,
  };
}

/**
 * What is to be known of all rows of a Native block, which may be of a time when the table had other columns.
 * @throws ColdpathError BLOCK_DAMAGED, TYPE_UNSUPPORTED
 */
export function rowsIn(block: Uint8Array, rule: DropRule): DroppedRows | undefined {
  const columns = columnsOf(block);
  const builder = new BlockBuilder(columns);
  builder.appendBlock(block);
  const has = (column: string): boolean => builder.columns.includes(column);
  const by = rule.by.every(has) ? rule.by : [];
  const isTime = columns.some(({ name, type }) => name === rule.time && isNanoseconds(type));
  return sortOut(builder, { ...rule, by, time: isTime ? rule.time : undefined }, "all").dropped;
}

/** Whether a column of the type says when as {@link DropRule} wants it. */
export function isNanoseconds(type: string): boolean {
  return type.startsWith("DateTime64(9");
}

/** Rows whose columns so far have the same values. */
interface Alike {
  readonly next: Map<number | string | null, Alike>;
  series: Series | undefined;
}

/** The series of a builder's rows, which are many: texts are read once for each series. */
class SeriesOf {
  readonly all: Series[] = [];
  readonly #builder: BlockBuilder;
  readonly #rule: DropRule;
  readonly #which: Droppable;
  readonly #root: Alike = { next: new Map(), series: undefined };

  constructor(builder: BlockBuilder, rule: DropRule, which: Droppable) {
    this.#builder = builder;
    this.#rule = rule;
    this.#which = which;
  }

  of(row: number): Series {
    let alike = this.#root;
    for (const column of this.#rule.by) {
      const key = this.#builder.valueKey(column, row);
      let next = alike.next.get(key);
      if (next === undefined) {
        next = { next: new Map(), series: undefined };
        alike.next.set(key, next);
      }
      alike = next;
    }
    alike.series ??= this.#begin(row);
    return alike.series;
  }

  #begin(row: number): Series {
    const { by, isFirst } = this.#rule;
    const values = Object.fromEntries(by.map((name) => [name, this.#builder.valueText(name, row) ?? ""]));
    const series = { values, goes: this.#which === "all" || isFirst(values), missing: 0 };
    this.all.push(series);
    return series;
  }
}
