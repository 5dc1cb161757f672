/**
 * Which columns are tried together and with what. Columns of one family hold the same sort of value, so one codec is chosen
 * for all of them.
 */
export interface Family {
  readonly name: string;
  readonly table: "market_data" | "orders";
  readonly columns: readonly string[];
  readonly codecs: readonly string[];
  /** Data sets it is tried on: those in which the columns hold something. */
  readonly sets: readonly string[];
}

/** A column without CODEC clause: what the server's configuration says, LZ4 unless somebody changed it. */
export const DEFAULT_CODEC = "default (LZ4)";
/** What insert and read times are given relative to. */
export const BASE_CODEC = "ZSTD(1)";

const GENERAL = [DEFAULT_CODEC, "NONE", BASE_CODEC, "ZSTD(3)"];
/** The engine refuses Gorilla on what is not a float unless told to; here it is told, to see what the rule is worth. */
const EIGHT_BYTES = [
  ...GENERAL,
  "Delta, LZ4",
  "Delta, ZSTD(1)",
  "Delta, ZSTD(3)",
  "DoubleDelta, ZSTD(1)",
  "Gorilla, ZSTD(1)",
  "T64, ZSTD(1)",
  "T64('bit'), ZSTD(1)",
  "Delta, T64, ZSTD(1)",
  "GCD, ZSTD(1)",
  "GCD, Delta, ZSTD(1)",
  "GCD, Delta, ZSTD(3)",
  "GCD, T64, ZSTD(1)",
  "GCD, Delta, T64, ZSTD(1)",
];
/** T64, DoubleDelta and Gorilla end at eight bytes; Delta(8) takes the halves of a wider value in turn. */
const SIXTEEN_BYTES = [
  ...GENERAL,
  "Delta(8), ZSTD(1)",
  "GCD, LZ4",
  "GCD, ZSTD(1)",
  "GCD, ZSTD(3)",
  "GCD, Delta(8), ZSTD(1)",
];
const SMALL = [...GENERAL, "Delta, ZSTD(1)", "T64, ZSTD(1)"];
/** Where a value hardly ever changes. */
const STEADY = [...SMALL, "DoubleDelta, ZSTD(1)", "Gorilla, ZSTD(1)", "GCD, Delta, T64, ZSTD(1)"];

const ALL = ["fx", "quotes", "trades", "book", "live"];
/** fx has no sizes, no numbers of the venue and no receive time of its own. */
const BINANCE = ["quotes", "trades", "book", "live"];
const DEPTH = ["book", "live"];

const marketData = (
  name: string,
  columns: readonly string[],
  codecs: readonly string[],
  sets: readonly string[],
): Family => ({ name, table: "market_data", columns, codecs, sets });
const orders = (name: string, columns: readonly string[], codecs: readonly string[]): Family => ({
  name,
  table: "orders",
  columns,
  codecs,
  sets: ["orders"],
});

/** Every column of market_data stands in exactly one family; of orders only what market_data has nothing like. */
export const FAMILIES: readonly Family[] = [
  marketData("event time", ["ts_exchange"], EIGHT_BYTES, ALL),
  marketData("receive time", ["ts_local"], EIGHT_BYTES, BINANCE),
  marketData("ingest time", ["ts_ingest"], STEADY, ["fx", "live"]),
  marketData("price", ["bid_px1", "ask_px1", "last_px"], EIGHT_BYTES, ALL),
  marketData("size", ["bid_sz1", "ask_sz1", "last_qty"], SIXTEEN_BYTES, BINANCE),
  marketData("depth price", ["bid_px", "ask_px"], EIGHT_BYTES, DEPTH),
  marketData("depth size", ["bid_sz", "ask_sz"], SIXTEEN_BYTES, DEPTH),
  marketData("venue number", ["exchange_seq"], EIGHT_BYTES, BINANCE),
  marketData("row number", ["seq", "source_seq"], EIGHT_BYTES, ALL),
  marketData("run", ["run"], STEADY, ["fx", "live"]),
  marketData("skipped", ["skipped"], STEADY, ["fx", "live"]),
  marketData("closed set", ["kind", "ts_exchange_src", "last_side"], SMALL, ALL),
  marketData("name", ["symbol", "venue", "env", "recorder", "source"], GENERAL, ALL),
  orders("order time", ["ts"], EIGHT_BYTES),
  orders("order price", ["limit_px"], EIGHT_BYTES),
  orders("order quantity", ["qty"], SIXTEEN_BYTES),
  orders("order id", ["client_order_id", "broker_order_id"], GENERAL),
  orders("order name", ["strategy", "symbol", "order_type", "status"], GENERAL),
];

/** One way to set all codecs of market_data. */
export interface WholeSchema {
  readonly name: string;
  /** Content of the CODEC clause of a family's columns; undefined removes the clause. Absent: the table as committed. */
  readonly codecOf?: (family: string) => string | undefined;
  readonly settings?: string;
}

const TIMES_AND_NUMBERS = ["event time", "receive time", "ingest time", "venue number", "row number"];
const PRICES = ["price", "depth price"];

const byKind =
  (number: string, price: string) =>
  (family: string): string =>
    TIMES_AND_NUMBERS.includes(family) ? number : PRICES.includes(family) ? price : BASE_CODEC;

export const WHOLE_SCHEMAS: readonly WholeSchema[] = [
  { name: "as committed" },
  {
    name: "as committed, sparse NULLs",
    settings: "nullable_serialization_version = 'allow_sparse'",
  },
  { name: "no codecs: LZ4", codecOf: () => undefined },
  { name: "ZSTD(1) everywhere", codecOf: () => BASE_CODEC },
  {
    name: "Delta on times and numbers, T64 on prices, ZSTD(1)",
    codecOf: byKind("Delta, ZSTD(1)", "T64, ZSTD(1)"),
  },
  {
    name: "DoubleDelta on times and numbers, Gorilla on prices, ZSTD(1)",
    codecOf: byKind("DoubleDelta, ZSTD(1)", "Gorilla, ZSTD(1)"),
  },
];
