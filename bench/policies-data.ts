import { existsSync, readdirSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { createGunzip } from "node:zlib";
import { us } from "../src/index.js";
import {
  type Adapter,
  binance,
  bybit,
  coinbase,
  okx,
  type ReplaySource,
  readCapture,
  replay,
  type VenueEvent,
  VenueFeed,
} from "../src/venues/index.js";

const DEPTH = 10;

/**
 * Captures that are replayed together, in the order of their times.
 * Not BitMEX, one of whose symbols has prices of ten decimals, nor linear contracts of Bybit, whose symbols are those of Binance: a
 * series is a symbol and kind, of whichever venue.
 */
const CAPTURES: readonly (readonly (readonly [file: string, adapter: Adapter])[])[] = [
  [
    ["binance-raw-ws/usdm-btcusdt-20240808.txt.gz", binance({ market: "usdm", symbol: "BTCUSDT" })],
    ["binance-raw-ws/usdm-ethusdt-20240808.txt.gz", binance({ market: "usdm", symbol: "ETHUSDT" })],
    ["binance-raw-ws/coinm-btcusd_perp-20240808.txt.gz", binance({ market: "coinm" })],
  ],
  [["venue-raw-ws/coinbase-20210417.txt.gz", coinbase()]],
  [["venue-raw-ws/bybit-inverse-20210417.txt.gz", bybit()]],
  [["venue-raw-ws/okx-20220513.txt.gz", okx({ strategy: "none" })]],
];

/** Hands all recorded market data to `record`, waiting where it is not taken, and gives the number of rows. */
export async function recordAll(folder: string, record: (event: VenueEvent) => boolean): Promise<number> {
  let rows = 0;
  for (const captures of CAPTURES) {
    const sources: ReplaySource[] = captures.map(([file, adapter]) => ({
      feed: new VenueFeed({ adapter, depth: DEPTH }),
      messages: readCapture(join(folder, file)),
    }));
    rows += (await replay(sources, record, { speed: Number.POSITIVE_INFINITY })).events;
  }
  for await (const event of fxQuotes(join(folder, "fx-l1"))) {
    while (!record(event)) await new Promise((resume) => setTimeout(resume, 1));
    rows += 1;
  }
  return rows;
}

/** True if the folder has the recordings. */
export function isThere(folder: string): boolean {
  return (
    existsSync(join(folder, "fx-l1")) && CAPTURES.flat().every(([file]) => existsSync(join(folder, file)))
  );
}

/** Quotes without sizes, a file a day: milliseconds of the day, bid, ask. */
async function* fxQuotes(folder: string): AsyncGenerator<VenueEvent> {
  for (const name of readdirSync(folder).sort()) {
    const [venue = "", symbol = "", day = ""] = name.split(/[-.]/);
    const date = day.replace(/(....)(..)(..)/, "$1-$2-$3");
    const midnight = Date.parse(`${date}T00:00:00${venue === "fxcm" ? "-05:00" : "Z"}`) * 1000;
    const file = await open(join(folder, name));
    let rest = "";
    for await (const chunk of file.createReadStream().pipe(createGunzip())) {
      const lines = (rest + (chunk as Buffer).toString("latin1")).split("\n");
      rest = lines.pop()!;
      for (const line of lines) yield fxQuote(line, venue, symbol, midnight);
    }
    if (rest !== "") yield fxQuote(rest, venue, symbol, midnight);
  }
}

function fxQuote(line: string, venue: string, symbol: string, midnight: number): VenueEvent {
  const [ms, bid_px1, ask_px1] = line.trimEnd().split(",");
  const time = us(midnight + Math.round(Number(ms) * 1000));
  return {
    type: "quote",
    ts_exchange: time,
    ts_local: time,
    symbol: symbol.toUpperCase(),
    bid_px1: bid_px1!,
    ask_px1: ask_px1!,
    venue,
  };
}
