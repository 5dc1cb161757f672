#!/usr/bin/env node
// Replays captures of venues' messages into a recorder:
//   node examples/venues/replay.js --speed max binance-usdm:BTCUSDT=examples/venues/binance-usdm.txt
// Each argument is ADAPTER[:SYMBOL]=FILE. The recorder is configured by coldpath.yaml, as everywhere.
import { parseArgs } from "node:util";
import { createRecorder } from "coldpath";
import {
  binance,
  bitmex,
  bitstamp,
  bybit,
  coinbase,
  hyperliquid,
  okx,
  readCapture,
  replay,
  VenueFeed,
} from "coldpath/venues";

const USAGE =
  "node examples/venues/replay.js [--speed N|max] [--depth N] [--strategy NAME] [--account ID] ADAPTER[:SYMBOL]=FILE …";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    speed: { type: "string", default: "1" },
    depth: { type: "string", default: "5" },
    strategy: { type: "string", default: "replay" },
    account: { type: "string", default: "replay" },
    help: { type: "boolean", short: "h" },
  },
});

const owner = { strategy: values.strategy, account: values.account };
/** Each makes an adapter; the symbol is that of books whose snapshots do not name it. */
const ADAPTERS = {
  "binance-usdm": (symbol) => binance({ market: "usdm", symbol }),
  "binance-coinm": (symbol) => binance({ market: "coinm", symbol }),
  bitmex: () => bitmex(),
  bitstamp: (symbol) => bitstamp({ symbol }),
  bybit: () => bybit(),
  coinbase: () => coinbase(),
  hyperliquid: () => hyperliquid(owner),
  okx: () => okx(owner),
};

const speed = values.speed === "max" ? Number.POSITIVE_INFINITY : Number(values.speed);
const depth = Number(values.depth);
const captures = positionals.map((argument) => /^([\w-]+)(?::([^=]+))?=(.+)$/.exec(argument));
if (values.help || captures.length === 0 || captures.includes(null) || !(speed > 0) || !(depth > 0)) {
  console.error(USAGE);
  console.error(`ADAPTER is one of ${Object.keys(ADAPTERS).join(", ")}.`);
  process.exit(values.help ? 0 : 2);
}

const PROBLEMS_SHOWN = 5;
let problems = 0;
const sources = captures.map(([, name, symbol, path]) => {
  const make = ADAPTERS[name];
  if (make === undefined) {
    console.error(`there is no adapter ${name}; there are ${Object.keys(ADAPTERS).join(", ")}`);
    process.exit(2);
  }
  const onProblem = ({ message, text }) => {
    problems += 1;
    if (problems <= PROBLEMS_SHOWN) console.error(`${path}: a message ${message}: ${text.slice(0, 120)}`);
  };
  return {
    path,
    feed: new VenueFeed({ adapter: make(symbol), depth, onProblem }),
    messages: readCapture(path),
  };
});

const stop = new AbortController();
process.once("SIGINT", () => stop.abort());

const recorder = await createRecorder();
let failure;
const summary = await replay(sources, recorder.events.record, {
  speed,
  signal: stop.signal,
  onProgress: ({ messages, events, seconds, waits, behindMs }) => {
    const told = [`${messages} messages`, `${events} events`];
    if (waits > 0) told.push(`${waits} waits for room in the ring`);
    if (behindMs > 1000) told.push(`${(behindMs / 1000).toFixed(1)} s behind`);
    console.error(`${seconds.toFixed(0)} s: ${told.join(", ")}`);
  },
}).catch((error) => {
  failure = error;
});
// What was replayed is stored, also where the replay failed.
const { tables } = await recorder.close();

if (summary !== undefined) {
  const { messages, events, seconds } = summary;
  const rate = Math.round(messages / seconds).toLocaleString("en-US");
  console.log(`${messages} messages in ${seconds.toFixed(1)} s, ${rate} a second: ${events} events`);
}
for (const { path, feed } of sources) {
  const { messages, events, broken, ...counts } = feed.counts;
  const told = Object.entries({ ...counts, ...broken }).filter(([, count]) => count > 0);
  console.log(
    `${path}: ${[`${messages} messages`, `${events} events`, ...told.map(([what, n]) => `${what}: ${n}`)].join(", ")}`,
  );
}
for (const [table, { stored, deduplicated, sampled, deadLettered, dropped, pending }] of Object.entries(
  tables,
)) {
  if (stored + deadLettered + pending.rows + deduplicated + sampled === 0) continue;
  const others = {
    deduplicated,
    sampled,
    "in the dead letters": deadLettered,
    pending: pending.rows,
    ...dropped,
  };
  const told = Object.entries(others).filter(([, rows]) => rows > 0);
  console.log(
    `${table}: ${[`${stored} rows stored`, ...told.map(([what, rows]) => `${what}: ${rows}`)].join(", ")}`,
  );
}
if (failure !== undefined) {
  console.error(failure.message);
  process.exitCode = 1;
}
