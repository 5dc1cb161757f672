import type { Table } from "./report.js";
import type { Wal } from "./wal.js";
import type { Latency } from "./wal-disk.js";

const QUANTILES = ["p50", "p99", "p99.9", "max"];

function count(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}

function latencyRow(what: string, { rowsPerSecond, rows, p50, p99, p999, max }: Latency): string[] {
  return [what, count(rowsPerSecond), count(rows), ...[p50, p99, p999, max].map((value) => value.toFixed(2))];
}

/** The figures as tables. */
export function walTables({ durable, latency, raw, perRow, syncs, replay, recovery, ask }: Wal): Table[] {
  return [
    {
      title: "Durable rows",
      headings: ["rows", "ClickHouse", "rows/s", "MB/s", "bytes/row", "memory MiB", "generator MiB"],
      rows: durable.map(({ rows, clickhouse, count: n, seconds, logBytes, rssBytes, generatorBytes }) => [
        rows,
        clickhouse,
        count(n / seconds),
        (logBytes / seconds / 1e6).toFixed(1),
        (logBytes / n).toFixed(0),
        count(rssBytes / 2 ** 20),
        count(generatorBytes / 2 ** 20),
      ]),
    },
    {
      title: "Until a row is acknowledged, ms",
      headings: ["what", "rows/s", "rows", ...QUANTILES],
      rows: [
        ...latency.map((each) => latencyRow("recorder", each)),
        ...raw.map((each) => latencyRow("bare disk, one sync for all that came", each)),
        ...perRow.map((each) => latencyRow("bare disk, one sync for each row", each)),
      ],
    },
    {
      title: "One write of 64 KiB and its sync, ms",
      headings: ["p50", "p99", "p99.9"],
      rows: [[syncs.p50, syncs.p99, syncs.p999].map((value) => value.toFixed(2))],
    },
    {
      title: "Replay",
      headings: ["backlog rows", "s", "rows/s", "live rows/s", "live p50 ms", "live p99 ms", "memory MiB"],
      rows: [
        [
          count(replay.backlogRows),
          replay.seconds.toFixed(1),
          count(replay.backlogRows / replay.seconds),
          count(replay.liveRowsPerSecond),
          count(replay.freshP50),
          count(replay.freshP99),
          count(replay.rssBytes / 2 ** 20),
        ],
      ],
    },
    {
      title: "Start-up and asking",
      headings: [
        "log GB",
        "segments",
        "s to open",
        "memory MiB",
        "rows in the table",
        "ask p50 ms",
        "ask p99 ms",
      ],
      rows: [
        [
          (recovery.bytes / 1e9).toFixed(2),
          count(recovery.segments),
          recovery.seconds.toFixed(2),
          count(recovery.rssBytes / 2 ** 20),
          count(ask.tableRows),
          ask.p50.toFixed(1),
          ask.p99.toFixed(1),
        ],
      ],
    },
  ];
}
