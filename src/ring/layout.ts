/** How a table's rows lie in a ring: the same list, in the same order, on both sides. */
export interface RecordLayout {
  readonly table: string;
  readonly columns: readonly RecordColumn[];
  /** The reserve of the ring belongs to rows of these tables. */
  readonly critical: boolean;
  /** Rows in whose column this text stands are refused last: a part of the room that is no reserve is theirs alone. */
  readonly last?: { readonly column: string; readonly text: string };
}

/** Part of the room beside the reserve that only rows which are refused last may fill. */
export const LAST_SHARE = 1 / 8;

export interface RecordColumn {
  readonly name: string;
  /** What is expected of its values, which decides what is fast; any other value is recorded too. */
  readonly kind: "number" | "time" | "name" | "text" | "list" | "other";
  /** Elements of a list that are recorded. */
  readonly most?: number;
  /** A row without it gets the time of the call. */
  readonly stampedWhenAbsent?: boolean;
}

/** The kind of a column by its ClickHouse type. */
export function kindOf(type: string): RecordColumn["kind"] {
  const inner = /^(?:LowCardinality|Nullable)\((.*)\)$/.exec(type)?.[1];
  if (inner !== undefined) {
    const kind = kindOf(inner);
    return kind === "text" && type.startsWith("LowCardinality") ? "name" : kind;
  }
  if (/^DateTime/.test(type)) return "time";
  if (/^U?Int|^Decimal|^Float/.test(type)) return "number";
  if (/^Enum/.test(type)) return "name";
  if (type === "String") return "text";
  if (/^Array\(/.test(type)) return "list";
  return "other";
}
