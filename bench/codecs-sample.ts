/** The recorded files' columns as tables, and rows made up in their shape for a machine that does not have the files. */

const levels = (type: (i: number) => string): string =>
  Array.from({ length: 10 }, (_, i) => type(i + 1)).join(", ");
const level = (side: string, i: number): string =>
  `${side}_px_${i} Decimal(18, 8), ${side}_qty_${i} Decimal(38, 8)`;
const EVENT =
  "local_ns Int64, event_ms Int64, exchange_ms Int64, market LowCardinality(String), symbol LowCardinality(String), id UInt64";

export const RAW_TABLES: Readonly<Record<string, string>> = {
  raw_fx_file: "ms Decimal(38, 10), bid Decimal(18, 8), ask Decimal(18, 8)",
  raw_fx:
    "file String, venue String, symbol String, line UInt64, ns Int64, bid Decimal(18, 8), ask Decimal(18, 8)",
  raw_quotes: `${EVENT}, bid_px Decimal(18, 8), bid_qty Decimal(38, 8), ask_px Decimal(18, 8), ask_qty Decimal(38, 8)`,
  raw_trades: `${EVENT}, px Decimal(18, 8), qty Decimal(38, 8), buyer_is_maker UInt8, exec_type String`,
  raw_book: `${EVENT}, ${levels((i) => level("bid", i))}, ${levels((i) => level("ask", i))}`,
  raw_orders:
    "id String, ts_ms Int64, exchange_ms Int64, price Decimal(18, 8), volume Int64, action String, direction String",
};

/** Events a few milliseconds apart on three instruments, with a price that walks by ticks and sizes of many small and few large. */
function events(rows: number): string {
  const hash = (salt: number): string => `cityHash64(number, ${salt})`;
  return `(
    SELECT 1723161255000000000 + sum(toInt64(-log((${hash(1)} % 1000 + 1) / 1001) * 2500000)) OVER (ORDER BY number) AS local_ns,
      intDiv(local_ns, 1000000) + 1230 + ${hash(2)} % 20 AS event_ms, event_ms - ${hash(3)} % 3 AS exchange_ms,
      if(number % 7 = 0, 'coinm', 'usdm') AS market, multiIf(number % 7 = 0, 'BTCUSD_PERP', number % 2 = 0, 'BTCUSDT', 'ETHUSDT') AS symbol,
      5123107838000 + sum(toInt64(${hash(4)} % 600)) OVER (ORDER BY number) AS id,
      toDecimal64(61800 + sum(toInt64(${hash(5)} % 3) - 1) OVER (ORDER BY number) / 10, 8) AS px,
      toDecimal128(exp(${hash(6)} % 1000 / 120) / 1000, 3) AS qty, number AS n
    FROM numbers(${rows}) ORDER BY number)`;
}

const sampleLevel =
  (sign: string, salt: number) =>
  (i: number): string =>
    `px ${sign} ${i} * toDecimal64('0.1', 8), toDecimal128(exp(cityHash64(n, ${salt}, ${i}) % 1000 / 120) / 1000, 3)`;

export const SAMPLES: Readonly<Record<string, string>> = {
  raw_fx: `SELECT 'sample-eurusd.csv', 'fxcm', 'EURUSD', number + 1,
      1399507200000000000 + sum(toInt64(cityHash64(number, 1) % 800)) OVER (ORDER BY number) * 1000000,
      toDecimal64(1.39 + sum(toInt64(cityHash64(number, 2) % 3) - 1) OVER (ORDER BY number) / 100000, 5) AS bid,
      bid + toDecimal64(cityHash64(number, 3) % 20 / 100000, 5)
    FROM numbers(200000) ORDER BY number`,
  raw_quotes: `SELECT local_ns, event_ms, exchange_ms, market, symbol, id, px, qty, px + toDecimal64('0.1', 8), toDecimal128(cityHash64(n) % 5000 / 1000, 3) FROM ${events(139_000)}`,
  raw_trades: `SELECT local_ns, event_ms, exchange_ms, market, symbol, id, px, qty, cityHash64(n) % 2, 'MARKET' FROM ${events(38_000)}`,
  raw_book: `SELECT local_ns, event_ms, exchange_ms, market, symbol, id, ${levels(sampleLevel("-", 7))}, ${levels(sampleLevel("+", 8))} FROM ${events(25_000)}`,
  raw_orders: `SELECT toString(65595000 + intDiv(n, 2)), event_ms, exchange_ms, px, toInt64(qty * 100000000), if(n % 2 = 0, 'created', 'deleted'), if(cityHash64(n) % 2 = 0, 'bid', 'ask') FROM ${events(50_000)}`,
};
