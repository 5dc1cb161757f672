import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { loadConfig } from "../../src/config/load.js";
import { openClickHouse } from "../../src/index.js";
import {
  binance,
  type CapturedMessage,
  readCapture,
  replay,
  type VenueEvent,
  VenueFeed,
} from "../../src/venues/index.js";
import { temporaryFolder } from "../support/folder.js";
import { layMigrated } from "../support/migrated.js";

const ROOT = process.cwd();
const SAMPLE = join(ROOT, "examples", "venues", "binance-usdm.txt");
const MS = 1_000_000n;
const START = 1_714_550_400_000n * MS;

function quote(id: number): string {
  return `{"e":"bookTicker","u":${id},"s":"ABC","b":"1.0","B":"2","a":"1.1","A":"3","T":5}`;
}

async function* messages(
  all: readonly (readonly [ms: number, id: number])[],
): AsyncGenerator<CapturedMessage> {
  for (const [at, id] of all) yield { received: START + BigInt(at) * MS, text: quote(id) };
}

function source(all: readonly (readonly [ms: number, id: number])[]) {
  return { feed: new VenueFeed({ adapter: binance({ market: "usdm" }) }), messages: messages(all) };
}

const idOf = (event: VenueEvent): number => Number((event as { exchange_seq: string }).exchange_seq);

test("several captures are merged by the times of their messages", async () => {
  const got: number[] = [];
  const take = (event: VenueEvent): boolean => got.push(idOf(event)) > 0;
  const one = source([
    [0, 1],
    [5, 3],
    [5, 4],
  ]);
  const other = source([
    [1, 2],
    [5, 5],
    [9, 6],
  ]);
  const summary = await replay([one, other], take, { speed: Number.POSITIVE_INFINITY });
  assert.deepEqual(got, [1, 2, 3, 4, 5, 6]);
  assert.deepEqual([summary.messages, summary.events, summary.waits, summary.behindMs], [6, 6, 0, 0]);
});

test("an event that is not taken is offered again before the next, and none is lost", async () => {
  const got: number[] = [];
  let calls = 0;
  const take = (event: VenueEvent): boolean => {
    calls += 1;
    if (calls % 3 !== 0) return false;
    got.push(idOf(event));
    return true;
  };
  const all = Array.from({ length: 20 }, (_, id) => [id, id] as const);
  const { waits } = await replay([source(all)], take, { speed: Number.POSITIVE_INFINITY });
  assert.deepEqual(
    got,
    all.map(([, id]) => id),
  );
  assert.equal(waits, 20);
  const never = replay([source(all)], () => false, { speed: Number.POSITIVE_INFINITY, patienceMs: 5 });
  await assert.rejects(never, { code: "QUEUE_FULL" });
});

test("at a speed no event comes before its time; a signal ends the replay, which lets go of its files", async () => {
  const stop = new AbortController();
  const startedAt = performance.now();
  const early: number[] = [];
  const take = (event: VenueEvent): boolean => {
    const at = (performance.now() - startedAt) * 10;
    // A timer may end a millisecond early by another clock.
    if (at < idOf(event) - 15) early.push(idOf(event));
    if (idOf(event) === 500) stop.abort();
    return true;
  };
  const all = [0, 250, 500, 60_000].map((at) => [at, at] as const);
  const { feed, messages: read } = source(all);
  let isLetGo = false;
  async function* watched() {
    try {
      yield* read;
    } finally {
      isLetGo = true;
    }
  }
  const summary = await replay([{ feed, messages: watched() }], take, { speed: 10, signal: stop.signal });
  assert.deepEqual([early, summary.messages, isLetGo], [[], 3, true]);
});

test("captures are read with nanoseconds, with seconds, alone, packed or not; notes of connections are no messages", async (t) => {
  const folder = await temporaryFolder(t);
  const path = join(folder, "capture.txt");
  const lines = [
    "wss://example.test/ <-> 1618677816.8434298",
    "1714550400000000123 {}",
    "",
    "1618677817.5: [1]",
    "1618677817.123456789: {}",
    "{}",
    "no message",
    "1714550400 {}",
  ];
  const read = async (content: string | Buffer): Promise<unknown> => {
    await writeFile(path, content);
    const got: CapturedMessage[] = [];
    for await (const message of readCapture(path)) got.push(message);
    return got;
  };
  const want = [
    { received: 1714550400000000123n, text: "{}" },
    { received: 1618677817500000000n, text: "[1]" },
    { received: 1618677817123456789n, text: "{}" },
    { received: 1618677817123456789n, text: "{}" },
    { received: 1618677817123456789n, text: "no message" },
    { received: 1618677817123456789n, text: "1714550400 {}" },
  ];
  assert.deepEqual(await read(`${lines.join("\n")}\n`), want);
  assert.deepEqual(await read(gzipSync(lines.join("\n"))), want);
  await assert.rejects(read(gzipSync(lines.join("\n")).subarray(0, -12)), { code: "INPUT_UNREADABLE" });
});

test("broken lines of a capture cost themselves and nothing else", async () => {
  const lines = (await readFile(SAMPLE, "utf8")).trimEnd().split("\n");
  const read = (some: readonly string[]) => {
    const feed = new VenueFeed({ adapter: binance({ market: "usdm", symbol: "ABCUSDT" }) });
    const events = some.flatMap((line) => feed.read(line.slice(line.indexOf(" ") + 1), START));
    return { events, counts: feed.counts };
  };
  const whole = read(lines);
  const bad = [lines[6]!.slice(0, 90), `0 {"e":"forceOrder"}`, `0 {"e":"trade","T":1}`, "0 \u0000"];
  const mixed = read([...lines.slice(0, 5), ...bad, ...lines.slice(5)]);
  assert.equal(whole.counts.messages, lines.length);
  assert.deepEqual(mixed.events, whole.events);
  assert.deepEqual(mixed.counts, {
    ...whole.counts,
    messages: lines.length + bad.length,
    unknown: 1,
    broken: { "is broken JSON": 2, "has no s that is text": 1 },
  });
});

test("the example in the guide prints what the guide says, and its rows are stored", async (t) => {
  const folder = await temporaryFolder(t);
  await layMigrated(join(folder, "data", "clickhouse"));
  await symlink(join(ROOT, "examples"), join(folder, "examples"));
  const guide = await readFile(join(ROOT, "docs", "guides", "venues.md"), "utf8");
  const [, command, output] = /```console\n\$ node (\S+.*)\n([^`]*)```/.exec(guide)!;
  const [script, ...words] = command!.split(" ");
  const run = promisify(execFile)(process.execPath, [join(ROOT, script!), ...words], { cwd: folder });
  const withoutChance = (text: string): string => text.replace(/in [\d.]+ s, [\d,]+ a second/, "in N s");
  assert.equal(withoutChance((await run).stdout), withoutChance(output!));

  const { config } = loadConfig({ env: {}, cwd: folder, values: { data_dir: join(folder, "data") } });
  const opened = await openClickHouse(config);
  t.after(() => opened.close());
  const stored = await opened.clickhouse.text(
    `SELECT kind, count(), max(exchange_seq), any(venue), sum(last_qty), max((ts_local, bid_px, bid_sz)) FROM market_data
     GROUP BY kind ORDER BY kind FORMAT TSV`,
  );
  assert.equal(
    stored,
    [
      "quote\t7\t9007199254741020\tbinance-usdm\t\\N\t('2024-05-01 08:00:01.900126704',[],[])",
      "depth\t5\t9007199254741028\tbinance-usdm\t\\N\t('2024-05-01 08:00:02.150158380',[12.5,12.49,12.48],[5,11.25,1])",
      "trade\t3\t412\tbinance-usdm\t4.25\t('2024-05-01 08:00:00.400095028',[],[])",
      "",
    ].join("\n"),
  );
  const gap =
    "SELECT kind, severity, component, attributes['symbol'], attributes['previous'] FROM system_events FORMAT TSV";
  assert.equal(
    await opened.clickhouse.text(gap),
    "data_gap\twarning\tbinance-usdm\tABCUSDT\t9007199254741024\n",
  );
});
