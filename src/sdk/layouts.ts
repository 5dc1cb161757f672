import type { Config } from "../config/schema.js";
import { kindOf, type RecordLayout } from "../ring/layout.js";
import type { Table } from "../schemas/table.js";

/** Columns that the recorder writes, not the row. */
const OWNED: ReadonlySet<string> = new Set(["env", "recorder", "run", "seq"]);

/** How the rows of a table lie in a ring: the columns a row can set. */
export function layoutOf(table: Table, options: Config["tables"][string]): RecordLayout {
  const columns = table.columns.filter((column) => !column.filledByServer && !OWNED.has(column.name));
  return {
    table: table.name,
    critical: options.class === "critical",
    columns: columns.map(({ name, type }) => ({ name, kind: kindOf(type) })),
  };
}
