import type { Column, Table } from "../schemas/table.js";

/** What the recorder writes into every row itself. */
const RECORDER_COLUMNS: ReadonlySet<string> = new Set([
  "env",
  "recorder",
  "run",
  "seq",
  "source",
  "source_seq",
]);

/** The columns that a row of a file or request may set, by name. */
export function settableColumns(table: Table): ReadonlyMap<string, Column> {
  const settable = table.columns.filter(
    ({ name, filledByServer }) => !filledByServer && !RECORDER_COLUMNS.has(name),
  );
  return new Map(settable.map((column) => [column.name, column]));
}
