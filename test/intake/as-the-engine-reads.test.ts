import assert from "node:assert/strict";
import { after, test } from "node:test";
import fc from "fast-check";
import { zoneOf } from "../../src/intake/mapping/zone.js";
import { openPlace, startTables } from "./fixture.js";

const clickhouse = await startTables({ after });

/** A reproducible sequence of whole numbers below `limit`. */
function numbers(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

test("a CSV file ends as the rows that the engine's own CSV reader finds in it", async (t) => {
  const place = await openPlace(t, clickhouse);
  const next = numbers(20_240_808);
  const lines = Array.from({ length: 20_000 }, (_, i) => {
    // Times jump back, quotes cross, ids lie beyond 2^53, and digits end in zeros: all of it is stored as it came.
    const ms = 1_723_161_255_088 + i * 7 - next(5000);
    const ns = 1_723_161_255_088_165_267n + BigInt(i) * 6_999_983n;
    const price = (): string => `${60_000 + next(2000)}.${String(next(100)).padStart(2, "0")}`;
    const size = (): string => (next(10) === 0 ? "" : `${next(9000)}.${String(next(1000)).padStart(3, "0")}`);
    const id = 2n ** 63n + BigInt(i) * 1009n;
    return [ns, ms, ["BTCUSDT", "ETHUSDT"][next(2)], id, price(), size(), price(), size()].join(",");
  });
  const header = "local_ns,venue_ms,symbol,id,bid,bid_size,ask,ask_size";
  const content = `${header}\n${lines.join("\n")}\n`;
  const mapping = await place.write(
    "m.yaml",
    `columns:
  ts_exchange: { time: venue_ms, unit: ms }
  ts_local: { time: local_ns, unit: ns }
  symbol: symbol
  kind: { constant: quote }
  exchange_seq: id
  bid_px1: bid
  bid_sz1: bid_size
  ask_px1: ask
  ask_sz1: ask_size
`,
  );
  const report = await place.ingest({
    table: "market_data",
    files: [await place.write("as-read.csv", content)],
    mapping,
  });
  assert.deepEqual([report.stored, report.rejected], [20_000, 0]);
  await clickhouse.command(
    `CREATE TABLE staging (local_ns Int64, venue_ms Int64, symbol String, id UInt64, bid Decimal(18, 8),
     bid_size Nullable(Decimal(38, 8)), ask Decimal(18, 8), ask_size Nullable(Decimal(38, 8)))
     ENGINE = MergeTree ORDER BY id`,
  );
  await clickhouse.insert({ sql: "INSERT INTO staging FORMAT CSVWithNames", body: Buffer.from(content) });
  const theirs = `SELECT fromUnixTimestamp64Nano(local_ns, 'UTC') AS l, fromUnixTimestamp64Nano(venue_ms * 1000000, 'UTC') AS v,
    symbol AS s, id AS i, bid AS b, bid_size AS bs, ask AS a, ask_size AS as FROM staging`;
  const ours = `SELECT ts_local AS l, ts_exchange AS v, toString(symbol) AS s, assumeNotNull(exchange_seq) AS i,
    assumeNotNull(bid_px1) AS b, bid_sz1 AS bs, assumeNotNull(ask_px1) AS a, ask_sz1 AS as
    FROM market_data WHERE source = '${report.files[0]!.source}'`;
  const numbersOf = (rows: string): string =>
    `SELECT count(), sum(i), min(i), max(i), min(l), max(l), min(v), max(v), sum(toUnixTimestamp64Nano(l) % 1000000007),
     sum(b), min(b), max(b), sum(bs), count(bs), min(bs), max(bs), sum(a), min(a), max(a), sum(as), count(as),
     uniqExact(s), countIf(a < b) > 0, sum(cityHash64(l, v, s, i, b, ifNull(bs, -1), a, ifNull(as, -1)))
     FROM (${rows}) FORMAT TSV`;
  assert.equal(await clickhouse.text(numbersOf(ours)), await clickhouse.text(numbersOf(theirs)));
});

test("quoted fields are read as the engine reads them", async (t) => {
  const place = await openPlace(t, clickhouse);
  await clickhouse.command(
    "CREATE TABLE texts (n UInt32, a Nullable(String), b Nullable(String)) ENGINE = MergeTree ORDER BY n",
  );
  const mapping = await place.write(
    "q.yaml",
    `csv: { columns: [n, a, b] }
columns:
  ts: { constant: 2024-05-01T00:00:00Z }
  client_order_id: n
  orig_client_order_id: a
  reject_reason: b
  strategy: { constant: quoting }
  symbol: { constant: X }
  side: { constant: buy }
  qty: { constant: 1 }
  status: { constant: new }
`,
  );
  const text = fc.string({
    unit: fc.constantFrom("a", "é", '"', ",", "\n", "\r\n", " ", "\0", "\\", "'", "\t", "1"),
    maxLength: 8,
  });
  const field = fc.oneof(
    fc.constant(""),
    text.map((each) => `"${each.replaceAll('"', '""')}"`),
    fc.stringMatching(/^[a-z0-9é'-]{1,8}$/),
  );
  const [records] = fc.sample(
    fc.array(fc.tuple(field, field), { minLength: 1000, maxLength: 1000, size: "max" }),
    {
      numRuns: 1,
      seed: 4180,
    },
  );
  const content = records!.map(([a, b], i) => `${i},${a},${b}\n`).join("");
  const report = await place.ingest({
    table: "orders",
    files: [await place.write("quoting.csv", content)],
    mapping,
  });
  assert.deepEqual([report.stored, report.rejected], [1000, 0]);
  await clickhouse.insert({ sql: "INSERT INTO texts FORMAT CSV", body: Buffer.from(content) });
  const differences = await clickhouse.rows(
    `SELECT n, a, b, orig_client_order_id AS our_a, reject_reason AS our_b
     FROM texts JOIN orders ON toString(n) = client_order_id WHERE strategy = 'quoting'
     AND NOT (a IS NOT DISTINCT FROM our_a AND b IS NOT DISTINCT FROM our_b)`,
  );
  assert.deepEqual(differences, []);
});

test("local times of a dozen zones are the instants that the engine finds", async () => {
  const zones = [
    "UTC",
    "America/New_York",
    "America/Chicago",
    "America/Sao_Paulo",
    "Europe/London",
    "Europe/Berlin",
    "Europe/Moscow",
    "Asia/Kolkata",
    "Asia/Tokyo",
    "Asia/Singapore",
    "Australia/Sydney",
    "Pacific/Auckland",
  ];
  const next = numbers(1_883);
  const from = Date.UTC(2000, 0, 1) / 1000;
  for (const name of zones) {
    const zone = zoneOf(name, "refuse");
    const instants = Array.from({ length: 300 }, () => from + next(25 * 365 * 86_400));
    const found = await clickhouse.rows<{ local: string }>(
      `SELECT toUnixTimestamp(toDateTime(toString(toDateTime(instant, '${name}')), 'UTC')) AS local
       FROM (SELECT arrayJoin([${instants}]) AS instant)`,
    );
    for (const [i, { local }] of found.entries()) {
      const utc = zone.utc(Number(local));
      // A local time that happens twice is refused, and the engine gives but one of its two instants.
      if (typeof utc === "string") assert.match(utc, /happens twice/);
      else assert.equal(utc, instants[i], `${name}: local ${local}`);
    }
  }
});
