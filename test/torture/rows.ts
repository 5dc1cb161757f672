/** The rows that are recorded while things die: every value follows from a row's number, and plain SQL can say it again. */

export const TABLES = ["orders", "fills", "system_events"] as const;
export type TableName = (typeof TABLES)[number];

/** What all rows of the torture carry as their source. */
export const SOURCE = "torture";

/** Numbers of one life, a start of a process that records: they begin at the life's number times this. */
export const LIFE_ROWS = 1_000_000;

export interface OfferedRow {
  readonly table: TableName;
  /** Number of the row among all that are ever offered; its `source_seq`. */
  readonly number: number;
  readonly row: Readonly<Record<string, unknown>>;
  /** The row's business columns as one text; {@link VALUES_SQL} makes the same of what is stored. */
  readonly values: string;
}

/** Of the columns that a row below gives a value. */
export const VALUES_SQL: Readonly<Record<TableName, string>> = {
  orders:
    "concat_ws('|', client_order_id, strategy, symbol, toString(side), toString(qty), toString(assumeNotNull(limit_px)), status)",
  fills:
    "concat_ws('|', fill_id, assumeNotNull(client_order_id), symbol, toString(side), toString(fill_qty), toString(fill_px), toString(liquidity))",
  system_events:
    "concat_ws('|', kind, severity, assumeNotNull(message), toString(assumeNotNull(rows)), toString(length(attributes)))",
};

/** Kinds of `system_events` that ClickHouse refuses: it has to refuse some, and only it can. */
const POISON = "poison";
/** Refused only while it is young, so that its dead letter can be stored later. */
const GREEN = "green";
const GREEN_SECONDS = 3;

/** What `system_events` has to meet. */
export const CHECK_SQL: string = `kind != '${POISON}' AND (kind != '${GREEN}' OR ts < now() - ${GREEN_SECONDS})`;

/** Where they come among so many system events; the first early in a life, which may be short. */
const KINDS: ReadonlyMap<number, string> = new Map([
  [20, GREEN],
  [40, POISON],
]);
const SYMBOLS = ["BTCUSDT", "EURUSD", "ES"];
/** One row in so many is of the month before, so that batches of several partitions are under way. */
const OLD_EVERY = 37;
const OLD_MS = 40 * 86_400_000;
const NS_PER_MS = 1_000_000n;

/**
 * @param life number of the start that records it
 * @param n counts from 0 within the life
 * @param poisonEvery of so many system events ClickHouse refuses one, and one more while it is young; 0: none
 * @param table by default all tables in turn
 */
export function offeredRow(
  life: number,
  n: number,
  poisonEvery = 0,
  table: TableName = TABLES[n % TABLES.length]!,
): OfferedRow {
  const number = life * LIFE_ROWS + n;
  const at = BigInt(Date.now() - (n % OLD_EVERY === 0 ? OLD_MS : 0)) * NS_PER_MS;
  const origin = { source: SOURCE, source_seq: number };
  const symbol = SYMBOLS[n % 7] ?? "AAPL";
  const side = n % 2 === 0 ? "buy" : "sell";
  // Few different values: rows that are alike but for their ids are common, and are not the same row.
  const qty = (n % 5) + 0.25;
  const px = 100 + (n % 11) / 4;
  const id = `${life}-${n}`;
  switch (table) {
    case "orders": {
      const row = {
        ts: at,
        client_order_id: id,
        strategy: "s",
        symbol,
        side,
        qty,
        limit_px: px,
        status: "new",
      };
      return {
        table,
        number,
        row: { ...row, ...origin },
        values: `${id}|s|${symbol}|${side}|${qty}|${px}|new`,
      };
    }
    case "fills": {
      const row = {
        ts_exchange: at,
        fill_id: id,
        client_order_id: id,
        symbol,
        side,
        fill_qty: qty,
        fill_px: px,
      };
      const values = `${id}|${id}|${symbol}|${side}|${qty}|${px}|maker`;
      return { table, number, row: { ...row, liquidity: "maker", ...origin }, values };
    }
    case "system_events": {
      const kind =
        (poisonEvery > 0 ? KINDS.get(Math.floor(n / TABLES.length) % poisonEvery) : undefined) ?? "level";
      // Lengths differ, so that rows lie across the pages and ends of segments.
      const message = "x".repeat(n % 400);
      const row = { ts: at, kind, severity: "warning", message, rows: n % 3, attributes: { n: `${n}` } };
      return { table, number, row: { ...row, ...origin }, values: `${kind}|warning|${message}|${n % 3}|1` };
    }
  }
}

/** The same row as a line of NDJSON. */
export function lineOf({ row }: OfferedRow): string {
  return JSON.stringify(row, (_, value: unknown) => (typeof value === "bigint" ? `${value}` : value));
}
