import { type DropRule, isNanoseconds } from "../buffer/droppable-rows.js";
import type { Row } from "../native/block.js";

/** What a policy must know of a table's rows. */
export interface PolicyShape {
  /** Columns that tell one series of rows from another, such as symbol and kind. */
  readonly by: readonly string[];
  /** Columns whose change makes a row news; undefined for a row that is always kept. */
  newsOf(row: Row): readonly string[] | undefined;
  /** Columns of text, in which `1.50` is not `1.5`. */
  readonly texts: ReadonlySet<string>;
  /** Column that says when: intervals are counted by it. */
  readonly time: string;
}

const QUOTE = ["bid_px1", "bid_sz1", "ask_px1", "ask_sz1"];
const DEPTH = ["bid_px", "bid_sz", "ask_px", "ask_sz", ...QUOTE];

/** Quotes and depth snapshots; a trade happens once and is never left out. */
export const MARKET_DATA: PolicyShape = {
  by: ["symbol", "kind"],
  newsOf(row) {
    if (row["kind"] === "quote") return QUOTE;
    return row["kind"] === "depth" ? DEPTH : undefined;
  },
  texts: new Set(),
  time: "ts_local",
};

/** What a user says of a table of another kind. */
export function shapeOf(
  said: { readonly by: readonly string[]; readonly news: readonly string[]; readonly time: string },
  columns: readonly { readonly name: string; readonly type: string }[],
): PolicyShape {
  const { by, news, time } = said;
  const texts = columns.filter(({ type }) => type.includes("String")).map(({ name }) => name);
  return { by, newsOf: () => news, texts: new Set(texts), time };
}

/** What is to be known of rows that are dropped: the series of a policy, whose rows go first if it may leave them out. */
export function dropRuleOf(
  shape: PolicyShape,
  columns: readonly { readonly name: string; readonly type: string }[],
): DropRule {
  const { by, newsOf } = shape;
  const isTime = columns.some(({ name, type }) => name === shape.time && isNanoseconds(type));
  return { by, time: isTime ? shape.time : undefined, isFirst: (series) => newsOf(series) !== undefined };
}
