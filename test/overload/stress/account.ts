import type { ClickHouse } from "../../../src/index.js";
import { seriesName, type Tally } from "./load.js";

/** Rows of market data that are missing, as one `data_gap` tells it. */
interface ToldGap {
  readonly reason: string;
  readonly level: number;
  readonly rows: number;
  /** Of rows with a name, trades alone. */
  readonly trades: number;
  /** Rows of series that it does not name. */
  readonly others: number;
}

/** What plain SQL finds, held against what the producer counted. */
export interface Account {
  readonly offered: number;
  readonly refused: number;
  readonly stored: number;
  readonly skipped: number;
  readonly tradesOffered: number;
  readonly tradesStored: number;
  readonly tradesRefused: number;
  readonly gaps: readonly ToldGap[];
  /** Rows by reason, of all gaps. */
  readonly byReason: Readonly<Record<string, number>>;
  readonly criticalOffered: number;
  readonly criticalStored: number;
  readonly levelRows: number;
  /** Everything that does not add up; empty if the account is right. */
  readonly violations: readonly string[];
}

/** `skipped` of kept rows tells of these too. */
const TOLD_TWICE = new Set(["sampled", "deduplicated"]);
/** Rows of these were never taken. */
const REFUSED = new Set(["ring_full", "too_large"]);

interface Found {
  readonly symbol: string;
  readonly kind: string;
  readonly n: string;
  readonly skipped: string;
}

const STORED =
  "SELECT symbol, toString(kind) AS kind, count() AS n, sum(skipped) AS skipped FROM market_data GROUP BY ALL";
const GAPS = `
  SELECT attributes['reason'] AS reason, toUInt32(attributes['level']) AS level, toUInt64(rows) AS rows,
         toUInt64OrZero(attributes['others']) AS others, attributes['missing'] AS missing
  FROM system_events WHERE kind = 'data_gap' AND attributes['table'] = 'market_data' ORDER BY ts, seq`;
/** Rows get their numbers when they leave memory, without holes; what is dropped there has none. */
const HOLES = `
  SELECT seq AS last, after, after - seq - 1 AS missing
  FROM (SELECT seq, leadInFrame(seq, 1, seq + 1) OVER (ORDER BY seq ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS after FROM market_data)
  WHERE after != seq + 1`;
const CRITICAL = "SELECT count() AS n, uniqExact(qty) AS different, toUInt64(sum(qty)) AS sum FROM orders";
const LEVELS =
  "SELECT count() AS n FROM system_events WHERE kind = 'level' AND attributes['table'] = 'market_data'";

/** Draws up the account of one recorder's tables. */
export async function accountOf(clickhouse: ClickHouse, tally: Tally): Promise<Account> {
  const found = await clickhouse.rows<Found>(STORED);
  const gaps = await clickhouse.rows<{
    reason: string;
    level: number;
    rows: string;
    others: string;
    missing: string;
  }>(GAPS);
  const [critical] = await clickhouse.rows<{ n: string; different: string; sum: string }>(CRITICAL);
  const [levels] = await clickhouse.rows<{ n: string }>(LEVELS);
  const series = new Series(tally);
  for (const { symbol, kind, n, skipped } of found) series.add(symbol, kind, Number(n) + Number(skipped));
  const told = gaps.map(({ reason, level, rows, others, missing }): ToldGap => {
    const named =
      missing === "" ? [] : (JSON.parse(missing) as { symbol: string; kind: string; rows: number }[]);
    if (!TOLD_TWICE.has(reason)) for (const each of named) series.add(each.symbol, each.kind, each.rows);
    const trades = named.filter(({ kind }) => kind === "trade").reduce((sum, each) => sum + each.rows, 0);
    const unnamed = missing === "" ? Number(rows) : Number(others);
    return { reason, level, rows: Number(rows), trades, others: unnamed };
  });
  const holes = await clickhouse.rows<{ last: string; after: string; missing: string }>(HOLES);
  const violations = [
    ...holes.map(({ last, after, missing }) => `${missing} rows between ${last} and ${after}`),
    ...series.violations(told),
    ...criticalViolations(tally, critical!),
    ...tradeViolations(told),
  ];
  return {
    offered: sumOf(tally.taken) + sumOf(tally.refused),
    refused: sumOf(tally.refused),
    stored: found.reduce((sum, { n }) => sum + Number(n), 0),
    skipped: found.reduce((sum, { skipped }) => sum + Number(skipped), 0),
    tradesOffered: tradesOf(tally.taken) + tradesOf(tally.refused),
    tradesStored: found.filter(({ kind }) => kind === "trade").reduce((sum, { n }) => sum + Number(n), 0),
    tradesRefused: tradesOf(tally.refused),
    gaps: told,
    byReason: byReason(told),
    criticalOffered: tally.criticalTaken + tally.criticalRefused,
    criticalStored: Number(critical!.n),
    levelRows: Number(levels!.n),
    violations,
  };
}

/** Rows that were taken and are neither stored nor told of, by series. */
class Series {
  readonly #tally: Tally;
  readonly #open: Map<string, number>;

  constructor(tally: Tally) {
    this.#tally = tally;
    this.#open = new Map(tally.taken);
  }

  add(symbol: string, kind: string, rows: number): void {
    const name = seriesName(symbol, kind);
    this.#open.set(name, (this.#open.get(name) ?? 0) - rows);
  }

  violations(told: readonly ToldGap[]): string[] {
    const found: string[] = [];
    let open = 0;
    for (const [name, rows] of this.#open) {
      if (rows < 0) found.push(`${name}: ${-rows} rows more than were taken`);
      else open += rows;
    }
    const lost = told.filter(({ reason }) => !TOLD_TWICE.has(reason));
    const unnamed = lost
      .filter(({ reason }) => !REFUSED.has(reason))
      .reduce((sum, { others }) => sum + others, 0);
    if (open !== unnamed) found.push(`${open} rows are nowhere, ${unnamed} are told of without their series`);
    const refused = lost.filter(({ reason }) => REFUSED.has(reason)).reduce((sum, { rows }) => sum + rows, 0);
    const known = sumOf(this.#tally.refused);
    if (refused !== known) found.push(`${known} rows were refused, ${refused} are told as refused`);
    return found;
  }
}

function criticalViolations(
  { criticalTaken, criticalSum }: Tally,
  { n, different, sum }: { readonly n: string; readonly different: string; readonly sum: string },
): string[] {
  const is = [Number(n), Number(different), Number(sum)];
  const ought = [criticalTaken, criticalTaken, criticalSum];
  return is.every((each, place) => each === ought[place])
    ? []
    : [`critical rows, different ones, their sum: ${is.join()} stored, ${ought.join()} taken`];
}

/** Trades go in the last step of all. */
function tradeViolations(told: readonly ToldGap[]): string[] {
  return told
    .filter(({ trades, level }) => trades > 0 && level < LAST_STEP)
    .map(({ reason, level, trades }) => `${trades} trades are missing at level ${level}: ${reason}`);
}

/** `drop_trades` of the built-in ladder. */
const LAST_STEP = 7;

function byReason(told: readonly ToldGap[]): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const { reason, rows } of told) sums[reason] = (sums[reason] ?? 0) + rows;
  return sums;
}

function sumOf(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((sum, count) => sum + count, 0);
}

function tradesOf(counts: ReadonlyMap<string, number>): number {
  return sumOf(new Map([...counts].filter(([name]) => name.endsWith(" trade"))));
}
