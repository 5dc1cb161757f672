import type { HotPath } from "./hot-path.js";
import { sustainedRate } from "./hot-path-chain.js";
import type { Quantiles, Service } from "./hot-path-service.js";
import type { Table } from "./report.js";

const QUANTILES = ["p50", "p99", "p99.9", "max"];

function count(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}

function rateText(rate: number): string {
  return rate === 0 ? "flat out" : count(rate);
}

function quantiles({ p50, p99, p999, max }: Quantiles, unit: number): string[] {
  return [p50, p99, p999, max].map((value) => (unit === 1 ? count(value) : (value / unit).toFixed(2)));
}

function serviceRow(head: readonly string[], { rate, service, emptyService }: Service): string[] {
  const { p50, p99 } = emptyService;
  return [...head, rateText(rate), ...quantiles(service, 1), count(p50), count(p99)];
}

/** The figures as tables. */
export function hotPathTables({ services, garbage, rivals, chain, fresh }: HotPath): Table[] {
  return [
    {
      title: "Service time, ns",
      headings: ["call", "ClickHouse", "rows/s", ...QUANTILES, "empty p50", "empty p99"],
      rows: services.map((each) => serviceRow([each.call, each.clickhouse], each)),
    },
    {
      title: "Response time from the intended start, µs",
      headings: ["call", "ClickHouse", "rows/s", ...QUANTILES, ...QUANTILES.map((name) => `empty ${name}`)],
      rows: services
        .filter(({ rate }) => rate > 0)
        .map(({ call, clickhouse, rate, response, emptyResponse }) => [
          call,
          clickhouse,
          rateText(rate),
          ...quantiles(response, 1000),
          ...quantiles(emptyResponse, 1000),
        ]),
    },
    {
      title: "In its place: service time for the same L1 quote, ns",
      headings: ["call", "rows/s", ...QUANTILES, "empty p50", "empty p99"],
      rows: rivals.map((each) => serviceRow([each.call], each)),
    },
    {
      title: "What a row leaves for the garbage collector of its thread",
      headings: [
        "call",
        "bytes",
        "of them the caller's literal",
        "GC ms per million rows",
        "the same without recording",
      ],
      rows: garbage.map(({ call, bytes, emptyBytes, gcMs, emptyGcMs }) => [
        call,
        bytes.toFixed(1),
        emptyBytes.toFixed(1),
        gcMs.toFixed(1),
        emptyGcMs.toFixed(1),
      ]),
    },
    {
      title: "The whole chain: narrow L1 rows for ten seconds, counted back by SQL",
      headings: [
        "table",
        "offered rows/s",
        "sustained",
        "stored",
        "dropped",
        "thinned out",
        "highest level",
        "last row visible after s",
        "CPU µs/row",
        "memory MiB",
      ],
      rows: chain.map((run) => [
        run.table,
        run.offered === undefined ? "flat out" : count(run.offered),
        count(sustainedRate(run)),
        count(run.stored),
        count(run.dropped),
        count(run.thinned),
        `${run.highestLevel}`,
        run.tailSeconds.toFixed(2),
        ((run.cpuSeconds / run.rows) * 1e6).toFixed(2),
        count(run.rssBytes / 2 ** 20),
      ]),
    },
    {
      title: "Freshness: from record() to visible, ms",
      headings: ["rows/s", "p50", "p99", "max"],
      rows: fresh.map(({ rowsPerSecond, p50, p99, max }) => [rowsPerSecond, p50, p99, max].map(count)),
    },
  ];
}
