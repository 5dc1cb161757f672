import type { Row } from "../native/block.js";

/** What materialized views made of rows that are stored again. */
interface Doubtful {
  readonly table: string;
  readonly views: readonly string[];
  readonly rows: number;
}

/** The row of `system_events` that tells which tables may not be what their view would make of its source. */
export function viewsRow({ table, views, rows }: Doubtful, wallMs: number): Row {
  return {
    ts: new Date(wallMs),
    kind: "views_doubtful",
    severity: "error",
    component: "sink",
    message: `${rows} rows of ${table} that ClickHouse lost are stored again; its views may have some of them twice, and lack others`,
    rows,
    attributes: { table, views: views.join(", ") },
  };
}
