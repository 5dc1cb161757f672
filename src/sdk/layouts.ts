import type { Config } from "../config/schema.js";
import { kindOf, type RecordColumn, type RecordLayout } from "../ring/layout.js";
import type { Table } from "../schemas/table.js";

/** Columns that the recorder writes, not the row. */
const OWNED: ReadonlySet<string> = new Set(["env", "recorder", "run", "seq"]);

/** What a table's records have beside its columns as they are. */
interface Particulars {
  /** Keys that the intake makes columns of. */
  readonly keys?: readonly string[];
  /** Columns and keys that hold a book's levels. */
  readonly levels?: readonly string[];
  /** Columns that a row without them gets the time of the call for. */
  readonly stamped?: readonly string[];
  readonly last?: NonNullable<RecordLayout["last"]>;
}

const PARTICULARS: Readonly<Record<string, Particulars>> = {
  market_data: {
    keys: ["bids", "asks"],
    levels: ["bid_px", "bid_sz", "ask_px", "ask_sz", "bids", "asks"],
    stamped: ["ts_local"],
    last: { column: "kind", text: "trade" },
  },
  fills: { stamped: ["ts_local"] },
};

/** How the rows of a table lie in a ring: the columns a row can set. */
export function layoutOf(table: Table, options: Config["tables"][string]): RecordLayout {
  const { keys = [], levels = [], stamped = [], last } = PARTICULARS[table.name] ?? {};
  const columns = table.columns.filter((column) => !column.filledByServer && !OWNED.has(column.name));
  const recordColumn = (name: string, kind: RecordColumn["kind"]): RecordColumn => ({
    name,
    kind,
    ...(levels.includes(name) ? { most: options.policy.depth } : {}),
    ...(stamped.includes(name) ? { stampedWhenAbsent: true } : {}),
  });
  const isCritical = options.class === "critical";
  return {
    table: table.name,
    critical: isCritical,
    ...(last === undefined || isCritical ? {} : { last }),
    columns: [
      ...columns.map(({ name, type }) => recordColumn(name, kindOf(type))),
      ...keys.map((name) => recordColumn(name, "list")),
    ],
  };
}
