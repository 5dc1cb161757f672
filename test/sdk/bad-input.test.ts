import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { loadConfig } from "../../src/config/load.js";
import { createRecorder, openClickHouse, us } from "../../src/index.js";
import { temporaryFolder } from "../support/folder.js";
import { layMigrated } from "../support/migrated.js";
import { until } from "../support/until.js";

const NOW = Date.now() * 1000;
const MIB = 1024 * 1024;

type AnyRow = Record<string, unknown>;

const folder = await temporaryFolder({ after });
await layMigrated(join(folder, "clickhouse"));
const recorder = await createRecorder({ config: { data_dir: folder } });
const { config } = loadConfig({ env: {}, cwd: folder, values: { data_dir: folder } });
const { clickhouse, close } = await openClickHouse(config);
after(async () => {
  await close();
  await recorder.close({ deadline: 0 });
});
const calls: Record<string, number> = {};

function record(table: string, row: AnyRow): boolean {
  const isTaken = recorder.table(table).record(row);
  calls[table] = (calls[table] ?? 0) + 1;
  return isTaken;
}

function order(more: AnyRow): AnyRow {
  return { ts: us(NOW), strategy: "s", symbol: "X", side: "buy", qty: 1, status: "new", ...more };
}

/** Reasons of the dead letters by the order they are about. */
function letters(): Map<string, string> {
  const found = new Map<string, string>();
  const place = join(folder, "dead-letters");
  for (const name of readdirSync(place).filter((each) => each.endsWith(".ndjson")))
    for (const line of readFileSync(join(place, name), "utf8").trimEnd().split("\n")) {
      const { bytes, reason } = JSON.parse(line) as { bytes: string; reason: string };
      found.set(/"client_order_id":"([^"]*)"/.exec(bytes)?.[1] ?? bytes.slice(0, 80), reason);
    }
  return found;
}

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}

/** Rows of `system_events` that the recorder wrote itself. */
let written = 0;
recorder.on("event", ({ kind }) => {
  if (["data_gap", "level", "link", "condition"].includes(kind)) written += 1;
});

/** Nothing vanishes: of each table, from the calls to what became of the rows. */
async function checkLedger(): Promise<void> {
  const { rings, tables } = await recorder.stats();
  for (const [name, ring] of Object.entries(rings)) {
    const table = tables[name]!;
    const recorded = ring.taken + ring.appended + ring.ring_full + ring.too_large;
    assert.equal(recorded, calls[name] ?? 0, `${name}: calls`);
    const own = name === "system_events" ? written : 0;
    assert.equal(table.offered, ring.taken + ring.appended + own, `${name}: offered`);
    assert.equal(table.offered, sum(table.refused) + table.accepted, `${name}: refused`);
    const { stored, pending, deduplicated, sampled, dropped, deadLettered } = table;
    const fates = stored + pending.rows + deduplicated + sampled + sum(dropped) + deadLettered;
    assert.equal(table.accepted, fates, `${name}: fates`);
  }
}

const endless: AnyRow = {};
for (let key = 0; key < 20; key += 1) endless[`k${key}`] = endless;
const long = "x".repeat(MIB);

/** What an order with these values becomes: a text that SQL finds in `shown`, or the reason of its dead letter. */
const CASES: Readonly<Record<string, { row: AnyRow; stored?: string; shown?: string; refused?: RegExp }>> = {
  nan: { row: { qty: Number.NaN }, refused: /qty.*NaN/ },
  infinite: { row: { limit_px: Infinity }, refused: /limit_px.*Infinity/ },
  minusInfinite: { row: { limit_px: -Infinity }, refused: /limit_px.*-Infinity/ },
  minusZero: { row: { limit_px: -0 }, shown: "limit_px", stored: "0" },
  tooLarge: { row: { limit_px: 1e11 }, refused: /limit_px/ },
  farTooLarge: { row: { qty: 1e300 }, refused: /qty/ },
  largest: { row: { limit_px: "9999999999.99999999" }, shown: "limit_px", stored: "9999999999.99999999" },
  tiny: { row: { limit_px: 5e-324 }, shown: "limit_px", stored: "0" },
  wideBigint: { row: { qty: 2n ** 100n }, refused: /qty/ },
  bigint: { row: { qty: 2n ** 63n }, shown: "qty", stored: "9223372036854775808" },
  text: { row: { qty: "much" }, refused: /qty.*much/ },
  boolean: { row: { qty: true }, refused: /qty/ },
  list: { row: { qty: [1, [2, [3]]] }, refused: /qty/ },
  nested: { row: { qty: { a: { b: { c: null } } } }, refused: /qty/ },
  symbolValue: { row: { reject_reason: Symbol("s") }, refused: /reject_reason.*symbol/ },
  function: { row: { reject_reason: () => 1 }, refused: /reject_reason.*function/ },
  number: { row: { symbol: 7 }, refused: /symbol/ },
  loneSurrogate: { row: { reject_reason: "\ud800 alone" }, refused: /reject_reason/ },
  loneInName: { row: { strategy: "s\udfff" }, refused: /strategy/ },
  emoji: { row: { reject_reason: "🚀\u0000é" }, shown: "hex(reject_reason)", stored: "F09F9A8000C3A9" },
  longText: { row: { reject_reason: long }, shown: "length(reject_reason)", stored: `${MIB}` },
  longName: { row: { strategy: long }, shown: "length(strategy)", stored: `${MIB}` },
  badDate: { row: { ts: new Date(Number.NaN) }, refused: /ts/ },
  bareNumber: { row: { ts: Date.now() }, refused: /ts/ },
  longAgo: { row: { ts: new Date(0) }, refused: /ts/ },
  nothing: { row: { side: null }, refused: /side/ },
  unknownSide: { row: { side: "sideways" }, refused: /side/ },
};

test("every bad value has one fate: stored as it means, or in the dead letters with its column and reason", async () => {
  for (const [id, { row }] of Object.entries(CASES))
    assert.equal(record("orders", order({ client_order_id: id, ...row })), true, id);
  const rest = [
    record("orders", order({ client_order_id: "huge", reject_reason: "x".repeat(5 * MIB) })),
    record("orders", order({ client_order_id: "endless", qty: endless })),
    record("orders", order({ client_order_id: "sparse", qty: new Array(2 ** 32 - 1) })),
  ];
  // Larger than a quarter of the ring: goes to a file if JSON can say it.
  assert.deepEqual(rest, [true, false, false]);
  const trap = {
    ...order({}),
    get client_order_id(): string {
      throw new RangeError("trap");
    },
  };
  const proxy = new Proxy({}, { getPrototypeOf: () => assert.fail("proxy") });
  assert.throws(() => record("orders", trap), /trap/);
  assert.throws(() => record("orders", order({ qty: proxy })), /proxy/);
  await recorder.flush();
  // The file is handed over within seconds.
  await until("the dead letter", () => letters().has("huge"));
  const reasons = letters();
  for (const [id, { refused, shown, stored }] of Object.entries(CASES)) {
    const where = `FROM orders WHERE client_order_id = '${id}' FORMAT TSVRaw`;
    if (refused !== undefined) assert.match(reasons.get(id) ?? "is no dead letter", refused, id);
    else assert.equal(await clickhouse.text(`SELECT toString(${shown}) ${where}`), `${stored}\n`, id);
  }
  const refusals = Object.values(CASES).filter(({ refused }) => refused !== undefined).length;
  assert.match(reasons.get("huge")!, /longer than/);
  assert.equal(reasons.size, refusals + 1);
  const stats = await recorder.stats();
  assert.equal(sum(stats.tables["orders"]!.refused), refusals + 1);
  await checkLedger();
});

test("levels beyond the depth are left out; lists of the wrong kind are refused", async () => {
  const depth = (more: AnyRow): boolean =>
    record("market_data", { ts_exchange: us(NOW), ts_local: us(NOW), symbol: "X", kind: "depth", ...more });
  const levels = Array.from({ length: 1000 }, (_, level) => level + 1);
  assert.ok(depth({ exchange_seq: 1, bid_px: levels, bid_sz: levels }));
  assert.ok(depth({ exchange_seq: 2, bid_px: [1, Number.NaN], bid_sz: [1, 1] }));
  assert.ok(depth({ exchange_seq: 3, bid_px: "1,2", bid_sz: [1, 1] }));
  assert.ok(depth({ exchange_seq: 4, bid_px: [[1], [2]], bid_sz: [1, 1] }));
  await recorder.flush();
  const stored = await clickhouse.text(
    "SELECT exchange_seq, bid_px, bid_sz FROM market_data WHERE kind = 'depth' FORMAT TSV",
  );
  assert.equal(stored, "1\t[1,2,3,4,5]\t[1,2,3,4,5]\n");
  const stats = await recorder.stats();
  assert.equal(sum(stats.tables["market_data"]!.refused), 3);
  await checkLedger();
});

test("100,000 symbols nobody has seen and 5000 bad rows at once: all counted, none lost", async () => {
  const symbols = 100_000;
  const sure = async (row: AnyRow): Promise<void> => {
    for (;;) {
      if (record("market_data", row)) return;
      await new Promise(setImmediate);
    }
  };
  for (let number = 0; number < symbols; number += 1) {
    const row = { ts_exchange: us(NOW), ts_local: us(NOW), kind: "quote", bid_px1: number };
    await sure({ ...row, symbol: `SYM-${number}` });
    if (number % 20 === 0) await sure({ ...row, symbol: "BAD", bid_px1: "?" });
  }
  await recorder.flush();
  const counted = "SELECT count(), uniqExact(symbol), countIf(symbol != concat('SYM-', toString(bid_px1)))";
  const stored = await clickhouse.text(`${counted} FROM market_data WHERE kind = 'quote' FORMAT TSV`);
  assert.equal(stored, `${symbols}\t${symbols}\t0\n`);
  const stats = await recorder.stats();
  assert.equal(sum(stats.tables["market_data"]!.refused), 3 + symbols / 20);
  await checkLedger();
});
