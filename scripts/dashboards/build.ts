import type { Builder, Dataquery } from "@grafana/grafana-foundation-sdk/cog";
import * as common from "@grafana/grafana-foundation-sdk/common";
import { GraphDrawStyle, StackingMode } from "@grafana/grafana-foundation-sdk/common";
import {
  type Dashboard,
  DashboardBuilder,
  type DataSourceRef,
  DatasourceVariableBuilder,
  type Panel,
  QueryVariableBuilder,
  RowBuilder,
} from "@grafana/grafana-foundation-sdk/dashboard";
import * as heatmap from "@grafana/grafana-foundation-sdk/heatmap";
import * as prometheus from "@grafana/grafana-foundation-sdk/prometheus";
import * as stat from "@grafana/grafana-foundation-sdk/stat";
import * as table from "@grafana/grafana-foundation-sdk/table";
import * as timeseries from "@grafana/grafana-foundation-sdk/timeseries";
import type { MetricPanel, SqlPanel } from "./panel.js";
import { RECORDER } from "./recorder.js";
import { TRADING } from "./trading.js";

const METRICS: DataSourceRef = { type: "prometheus", uid: "$prometheus" };
const CLICKHOUSE: DataSourceRef = { type: "grafana-clickhouse-datasource", uid: "$clickhouse" };
/** Of the 24 columns of Grafana's grid. */
const WIDE = 8;
const SMALL = 6;

/** The dashboards by the name of their file. Grafana's own types say whether they are what it takes. */
export function dashboards(): Readonly<Record<string, Dashboard>> {
  return { "coldpath-recorder": recorderDashboard(), "coldpath-trading": tradingDashboard() };
}

function recorderDashboard(): Dashboard {
  const dashboard = begun("coldpath", "coldpath-recorder", "The recorder: rows, inserts, log, pressure.")
    .withVariable(new DatasourceVariableBuilder("prometheus").label("Prometheus").type("prometheus"))
    .withVariable(labelVariable("instance"))
    .withVariable(labelVariable("table"));
  for (const { title, panels } of RECORDER) {
    dashboard.withRow(new RowBuilder(title));
    for (const panel of panels) dashboard.withPanel(metricPanel(panel));
  }
  return dashboard.build();
}

function tradingDashboard(): Dashboard {
  const dashboard = begun(
    "coldpath: trading",
    "coldpath-trading",
    "What was traded, from the tables in ClickHouse.",
  )
    .withVariable(
      new DatasourceVariableBuilder("clickhouse").label("ClickHouse").type("grafana-clickhouse-datasource"),
    )
    .withVariable(
      new QueryVariableBuilder("symbol")
        .datasource(CLICKHOUSE)
        .query(
          "SELECT DISTINCT symbol FROM market_data WHERE ts_exchange > now() - INTERVAL 1 DAY ORDER BY symbol LIMIT 1000",
        )
        .multi(true)
        .includeAll(true),
    );
  for (const { title, panels } of TRADING) {
    dashboard.withRow(new RowBuilder(title));
    for (const panel of panels) dashboard.withPanel(sqlPanel(panel));
  }
  return dashboard.build();
}

function begun(title: string, uid: string, description: string): DashboardBuilder {
  return new DashboardBuilder(title)
    .uid(uid)
    .description(description)
    .tags(["coldpath"])
    .timezone("utc")
    .refresh("10s")
    .time({ from: "now-1h", to: "now" })
    .readonly();
}

function labelVariable(label: string): QueryVariableBuilder {
  return new QueryVariableBuilder(label)
    .datasource(METRICS)
    .query(`label_values(recorder_offered_rows_total, ${label})`)
    .multi(true)
    .includeAll(true)
    .allValue(".*");
}

function metricPanel({ title, what, unit, kind = "lines", queries }: MetricPanel): Builder<Panel> {
  const panel = metricFrame(kind).title(title).description(what).datasource(METRICS).unit(unit);
  for (const [index, [expr, legend]] of queries.entries()) {
    const query = new prometheus.DataqueryBuilder()
      .refId(String.fromCharCode("A".charCodeAt(0) + index))
      .expr(expr)
      .legendFormat(legend);
    panel.withTarget(kind === "heatmap" ? query.format(prometheus.PromQueryFormat.Heatmap) : query);
  }
  return panel;
}

function metricFrame(kind: NonNullable<MetricPanel["kind"]>) {
  if (kind === "stat") return new stat.PanelBuilder().span(SMALL).height(4);
  if (kind === "heatmap") return new heatmap.PanelBuilder().span(WIDE).height(8);
  const lines = new timeseries.PanelBuilder().span(WIDE).height(8).drawStyle(GraphDrawStyle.Line);
  if (kind === "lines") return lines;
  return lines.fillOpacity(30).stacking(new common.StackingConfigBuilder().mode(StackingMode.Normal));
}

/** A query of the ClickHouse data source, which the library does not know: https://grafana.com/grafana/plugins/grafana-clickhouse-datasource */
class ClickHouseQuery implements Builder<Dataquery> {
  readonly #sql: string;
  readonly #format: "timeseries" | "table";

  constructor({ sql, kind }: SqlPanel) {
    this.#sql = sql;
    this.#format = kind === "table" ? "table" : "timeseries";
  }

  build(): Dataquery {
    const format = this.#format === "table" ? 1 : 0;
    const query = {
      refId: "A",
      datasource: CLICKHOUSE,
      editorType: "sql",
      queryType: this.#format,
      format,
      rawSql: this.#sql,
    };
    return query as unknown as Dataquery;
  }
}

function sqlPanel(panel: SqlPanel): Builder<Panel> {
  const frame = panel.kind === "table" ? new table.PanelBuilder() : new timeseries.PanelBuilder();
  return frame
    .span(WIDE)
    .height(8)
    .title(panel.title)
    .description(panel.what)
    .datasource(CLICKHOUSE)
    .unit(panel.unit)
    .withTarget(new ClickHouseQuery(panel));
}
