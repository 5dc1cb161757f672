/** A set of rows as a recorder would have written them, and the statement that makes them out of the raw files. */
export interface Stage {
  readonly name: string;
  readonly title: string;
  readonly table: "market_data" | "orders";
  /** Columns and SELECT of the INSERT, in the order in which the table's parts hold the rows. */
  readonly select: string;
  /** How often the rows are taken when time is measured, so that small sets last long enough. */
  readonly repeat: number;
}

/** What `coldpath ingest` stamps on rows of a file: batches of 50,000 a twentieth of a second apart. */
const FROM_FILE = `
  'prod' AS env, 'recorder-1' AS recorder, 11400714819323198485 AS run,
  fromUnixTimestamp64Nano(1732273200000000000 + intDiv(seq, 50000) * 51000000 + cityHash64(intDiv(seq, 50000)) % 9000000, 'UTC') AS ts_ingest`;

/** What a live recorder stamps: numbers over all streams, no source, one ts_ingest for all rows of a batch of 250 ms. */
const FROM_RING = `
  rowNumberInAllBlocks() + 1 AS seq, '' AS source, NULL AS source_seq,
  fromUnixTimestamp64Nano((batch + 1) * 250000000 + cityHash64(batch) % 40000000, 'UTC') AS ts_ingest`;

const TIMES = `
  fromUnixTimestamp64Nano(exchange_ms * 1000000, 'UTC') AS ts_exchange, fromUnixTimestamp64Nano(local_ns, 'UTC') AS ts_local,
  symbol, concat('binance-', market) AS venue, id AS exchange_seq`;

const TIME_COLUMNS = "ts_exchange, ts_local, symbol, venue, exchange_seq";
const FILE_COLUMNS = "env, recorder, run, ts_ingest, seq, source, source_seq";
const BOOK_COLUMNS = "bid_px, bid_sz, ask_px, ask_sz";
const SORT = "ORDER BY toDate(ts_exchange), symbol, ts_exchange, seq";

const levels = (side: string): string => Array.from({ length: 10 }, (_, i) => `${side}_${i + 1}`).join(", ");
const BOOK_ARRAYS = `[${levels("bid_px")}] AS bid_px, [${levels("bid_qty")}] AS bid_sz, [${levels("ask_px")}] AS ask_px, [${levels("ask_qty")}] AS ask_sz`;
const AGGRESSOR = "if(buyer_is_maker = 1, 'sell', 'buy')";

function numbered(raw: string, source: string): string {
  return `(SELECT *, rowNumberInAllBlocks() + 1 AS seq, '${source}' AS source, seq + 1 AS source_seq FROM ${raw})`;
}

/** All three Binance streams in the order in which the host received them. */
const LIVE = ["stage_quotes", "stage_trades", "stage_book"]
  .map((name) => `SELECT * FROM ${name}`)
  .join(" UNION ALL ");

/** fx, quotes, trades, book and orders as `ingest` takes them from their files; live as one recorder would hear all of Binance. */
export const STAGES: readonly Stage[] = [
  {
    name: "stage_fx",
    title: "fx",
    table: "market_data",
    repeat: 1,
    select: `(ts_exchange, ts_local, symbol, kind, bid_px1, ask_px1, venue, ${FILE_COLUMNS})
      SELECT fromUnixTimestamp64Nano(ns, 'UTC') AS ts_exchange, ts_exchange AS ts_local, symbol, 'quote', bid, ask, venue, ${FROM_FILE}, seq, file, line
      FROM (SELECT *, rowNumberInAllBlocks() + 1 AS seq FROM raw_fx) ${SORT}`,
  },
  {
    name: "stage_quotes",
    title: "quotes",
    table: "market_data",
    repeat: 2,
    select: `(${TIME_COLUMNS}, kind, bid_px1, bid_sz1, ask_px1, ask_sz1, ${FILE_COLUMNS})
      SELECT ${TIMES}, 'quote', bid_px, bid_qty, ask_px, ask_qty, ${FROM_FILE}, seq, source, source_seq
      FROM ${numbered("raw_quotes", "l1-quotes.csv.gz")} ${SORT}`,
  },
  {
    name: "stage_trades",
    title: "trades",
    table: "market_data",
    repeat: 6,
    select: `(${TIME_COLUMNS}, kind, last_px, last_qty, last_side, ${FILE_COLUMNS})
      SELECT ${TIMES}, 'trade', px, qty, ${AGGRESSOR}, ${FROM_FILE}, seq, source, source_seq
      FROM ${numbered("raw_trades", "trades.csv.gz")} ${SORT}`,
  },
  {
    name: "stage_book",
    title: "book",
    table: "market_data",
    repeat: 6,
    select: `(${TIME_COLUMNS}, kind, bid_px1, bid_sz1, ask_px1, ask_sz1, ${BOOK_COLUMNS}, ${FILE_COLUMNS})
      SELECT ${TIMES}, 'depth', bid_px_1, bid_qty_1, ask_px_1, ask_qty_1, ${BOOK_ARRAYS}, ${FROM_FILE}, seq, source, source_seq
      FROM ${numbered("raw_book", "book-top10.csv.gz")} ${SORT}`,
  },
  {
    name: "stage_live",
    title: "live",
    table: "market_data",
    repeat: 2,
    select: `SELECT * EXCEPT batch REPLACE (${FROM_RING})
      FROM (SELECT *, intDiv(toUnixTimestamp64Nano(ts_local), 250000000) AS batch FROM (${LIVE}) ORDER BY ts_local, exchange_seq) ${SORT}`,
  },
  {
    name: "stage_orders",
    title: "orders",
    table: "orders",
    repeat: 6,
    select: `(ts, client_order_id, broker_order_id, strategy, symbol, side, qty, limit_px, order_type, status, ${FILE_COLUMNS})
      SELECT fromUnixTimestamp64Milli(ts_ms, 'UTC') AS ts, id, id, 'bitstamp-feed', 'BTCUSD', if(direction = 'bid', 'buy', 'sell'),
        toDecimal128(volume, 8) / 100000000, price, 'limit',
        multiIf(action = 'created', 'new', action = 'changed', 'partially_filled', 'deleted'), ${FROM_FILE}, seq, source, source_seq
      FROM ${numbered("raw_orders", "orders.csv.gz")} ORDER BY ts, id, seq`,
  },
];
