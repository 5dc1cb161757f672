import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { loadConfig } from "../src/config/load.js";
import { createRecorder, openClickHouse } from "../src/index.js";
import { isThere, recordAll } from "./policies-data.js";
import { publish, type Table } from "./report.js";

/** How many rows of recorded market data each policy keeps. Option: `--data DIR` with the recordings. */

const POLICIES = {
  "dedup bbo": { dedup: "bbo" },
  "sample 10ms": { sample: "10ms" },
  "sample 50ms": { sample: "50ms" },
  "sample 100ms": { sample: "100ms" },
  "dedup, sample 50ms": { dedup: "bbo", sample: "50ms" },
  "conflate 50ms": { conflate: "50ms" },
} as const;
const NAMES = Object.keys(POLICIES) as (keyof typeof POLICIES)[];

const NOTE = `Rows of recorded market data that each policy keeps, replayed through \`createRecorder\` and counted in ClickHouse. Of each
series (symbol and kind) rows kept, rows they tell as \`skipped\` and rows in a \`data_gap\` were checked to add up to the rows in. Binance:
three perpetuals, 5 min 45 s from 2024-08-08 23:54; Coinbase, Bybit and OKX: 11 to 31 s of 2 to 10 symbols, together; fxcm and oanda:
whole days of May 2014, quotes without sizes. Depth: ten levels a side, a row for each change of one of them. Trades are always kept.
Binance repeats no quote and a book's row is a change already, so there dedup leaves nothing out. A row
that waits for the end of its interval is also stored when an interval has passed by the clock, so a replay that falters keeps
a few rows more: figures of \`sample\` and \`conflate\` differ by some rows from run to run.`;

/** What became of one series under one policy. */
interface Series {
  readonly policy: string;
  readonly venue: string;
  readonly symbol: string;
  readonly kind: string;
  readonly kept: string;
  /** Rows kept and all that are told of, as skipped or in a data_gap: the rows in. */
  readonly told: string;
}

const SERIES = `
  SELECT s.recorder AS policy, s.venue AS venue, s.symbol AS symbol, s.kind AS kind, s.kept AS kept, s.told + g.missing AS told
  FROM (SELECT recorder, any(venue) AS venue, symbol, toString(kind) AS kind, count() AS kept, kept + sum(skipped) AS told
        FROM market_data GROUP BY recorder, symbol, kind) AS s
  LEFT JOIN (SELECT recorder, attributes['symbol'] AS symbol, attributes['kind'] AS kind, sum(ifNull(rows, 0)) AS missing
             FROM system_events WHERE system_events.kind = 'data_gap' AND component = 'policy' GROUP BY ALL) AS g USING (recorder, symbol, kind)
  ORDER BY venue, symbol, indexOf(['quote', 'depth', 'trade'], kind)`;

/** Venues of few symbols have a line for each. */
const DETAILED = /^(binance|fxcm|oanda)/;

async function measureAll(folder: string): Promise<{ series: Series[]; rows: number }> {
  const data_dir = mkdtempSync(join(tmpdir(), "coldpath-bench-"));
  try {
    let rows = 0;
    for (const [index, name] of NAMES.entries()) {
      console.error(name);
      const policy = { ...POLICIES[name], depth: 10 };
      const recorder = await createRecorder({
        config: {
          data_dir,
          recorder: { id: `policy-${index}` },
          // Flat out, and every row counted: a full ring makes the replay wait.
          ring: { on_full: "refuse" },
          tables: { market_data: { class: "critical", policy } },
        },
      });
      rows = await recordAll(folder, recorder.events.record);
      await recorder.flush();
      const counts = (await recorder.close()).tables["market_data"]!;
      if (counts.stored + counts.deduplicated + counts.sampled !== rows)
        throw new Error(`${name}: of ${rows} rows ${JSON.stringify(counts)}`);
    }
    const { clickhouse, close } = await openClickHouse(
      loadConfig({ env: {}, cwd: data_dir, values: { data_dir } }).config,
    );
    try {
      return { series: await clickhouse.rows<Series>(SERIES), rows };
    } finally {
      await close();
    }
  } finally {
    rmSync(data_dir, { recursive: true, force: true });
  }
}

const shown = (rows: number): string => rows.toLocaleString("en-US");

/** The series of each line of the tables. */
function linesOf(series: readonly Series[]): Map<string, Series[]> {
  const lines = new Map<string, Series[]>();
  for (const each of series) {
    const line = `${each.venue} ${DETAILED.test(each.venue) ? `${each.symbol} ` : ""}${each.kind}`;
    const group = lines.get(line);
    if (group === undefined) lines.set(line, [each]);
    else group.push(each);
  }
  return lines;
}

function tablesOf(series: readonly Series[], total: number): Table[] {
  const counts: string[][] = [];
  const shares: string[][] = [];
  let sum = 0;
  for (const [line, group] of linesOf(series)) {
    const told = NAMES.map((_, index) => sumOf(group, index, "told"));
    const rows = told[0]!;
    if (told.some((each) => each !== rows))
      throw new Error(`${line}: policies differ in the rows in: ${told}`);
    sum += rows;
    const kept = NAMES.map((_, index) => sumOf(group, index, "kept"));
    counts.push([line, shown(rows), ...kept.map(shown)]);
    shares.push([line, shown(rows), ...kept.map((each) => `${((each / rows) * 100).toFixed(1)} %`)]);
  }
  if (sum !== total) throw new Error(`${sum} rows are told of ${total}`);
  const headings = ["series", "rows in", ...NAMES];
  return [
    { title: "Rows kept", headings, rows: counts },
    { title: "Share kept", headings, rows: shares },
  ];
}

function sumOf(group: readonly Series[], policy: number, value: "kept" | "told"): number {
  const own = group.filter((each) => each.policy === `policy-${policy}`);
  return own.reduce((sum, each) => sum + Number(each[value]), 0);
}

const { values } = parseArgs({ options: { data: { type: "string", default: "../shared/data" } } });
if (!isThere(values.data)) {
  console.error(`no recordings at ${values.data}; name their folder with --data`);
  process.exit(1);
}
const { series, rows } = await measureAll(values.data);
publish({
  name: "policies",
  command: "npm run bench -- policies",
  note: NOTE,
  tables: tablesOf(series, rows),
  figures: series.map(({ policy, ...each }) => ({ policy: NAMES[Number(policy.split("-")[1])], ...each })),
});
