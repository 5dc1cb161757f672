import { ValueError } from "../native/block.js";
import type { Table } from "../schemas/table.js";
import type { RowMaker } from "./mapping/compile.js";
import { didYouMean } from "./mapping/mapping-error.js";
import type { Mapping } from "./mapping/schema.js";
import { settableColumns } from "./settable-columns.js";

/** CSV where no mapping says otherwise. */
export const DEFAULT_DIALECT: Mapping["csv"] = {
  delimiter: ",",
  quote: '"',
  columns: undefined,
  missing: [],
};

/** What a CSV file without a mapping means: its header names the table's columns. */
export function plainMapping(header: readonly string[]): Mapping {
  return {
    format: "csv",
    csv: DEFAULT_DIALECT,
    files: undefined,
    columns: Object.fromEntries(header.map((name) => [name, { kind: "from", from: name }])),
    ignore: [],
  };
}

/**
 * Objects whose keys are the table's columns, as rows. `also` names columns that the recorder writes for files but other
 * intakes may give.
 */
export function plainRows(table: Table, also: readonly string[] = []): RowMaker {
  const known = new Set([...settableColumns(table).keys(), ...also]);
  return (record) => {
    const row = record as Readonly<Record<string, unknown>>;
    for (const key of Object.keys(row)) {
      if (known.has(key)) continue;
      throw new ValueError(key, `is no column of ${table.name}${didYouMean(key, known)}`, row[key]);
    }
    return row;
  };
}
