/** A panel on Prometheus: PromQL, with `$instance` and `$table` as the dashboard's variables, and what each line is called. */
export interface MetricPanel {
  readonly title: string;
  readonly what: string;
  /** Of Grafana: `s`, `bytes`, `percentunit`, `rowsps`, `short` … */
  readonly unit: string;
  readonly kind?: "lines" | "stacked" | "heatmap" | "stat";
  readonly queries: readonly (readonly [expr: string, legend: string])[];
}

/** A panel on ClickHouse: one statement of SQL, whose first column is the time unless it is shown as a table. */
export interface SqlPanel {
  readonly title: string;
  readonly what: string;
  readonly unit: string;
  readonly kind: "lines" | "table";
  readonly sql: string;
}

export interface PanelRow<P> {
  readonly title: string;
  readonly panels: readonly P[];
}
