import assert from "node:assert/strict";
import { after, test } from "node:test";
import { readTables } from "../../src/schemas/introspect.js";
import { startMigratedEngine } from "../support/migrated.js";
import { storeRows } from "./database.js";

const { clickhouse } = await startMigratedEngine({ after });

/** The least a row of each table must have, and what the table is cut, ordered and kept by. */
const TABLES = {
  market_data: {
    row: { ts_exchange: "", ts_local: "", symbol: "S", kind: "quote" },
    time: "ts_exchange",
    partition: "toDate(ts_exchange)",
    order: "symbol, ts_exchange, seq",
    keep: "toIntervalDay(60)",
  },
  orders: {
    row: { ts: "", client_order_id: "c", strategy: "s", symbol: "S", side: "buy", qty: "1", status: "new" },
    time: "ts",
    partition: "toYYYYMM(ts)",
    order: "strategy, symbol, ts, client_order_id, seq",
    keep: "toIntervalYear(7)",
  },
  fills: {
    row: { ts_exchange: "", fill_id: "f", symbol: "S", side: "sell", fill_qty: "1", fill_px: "1" },
    time: "ts_exchange",
    partition: "toYYYYMM(ts_exchange)",
    order: "symbol, ts_exchange, fill_id, seq",
    keep: "toIntervalYear(7)",
  },
  positions_intraday: {
    row: { ts: "", account_id: "a", symbol: "S", position_qty: "-1" },
    time: "ts",
    partition: "toYYYYMM(ts)",
    order: "account_id, symbol, ts, seq",
    keep: "toIntervalYear(3)",
  },
  account_state: {
    row: { ts: "", account_id: "a" },
    time: "ts",
    partition: "toYYYYMM(ts)",
    order: "account_id, ts, seq",
    keep: "toIntervalYear(3)",
  },
  risk_decisions: {
    row: { ts: "", strategy: "s", decision: "accept" },
    time: "ts",
    partition: "toYYYYMM(ts)",
    order: "strategy, ts, seq",
    keep: "toIntervalYear(7)",
  },
  guardrail_transitions: {
    row: { ts: "", prev_mode: "normal", next_mode: "halt" },
    time: "ts",
    partition: "toYYYYMM(ts)",
    order: "guardrail, ts, seq",
    keep: "toIntervalYear(7)",
  },
  system_events: {
    row: { ts: "", kind: "link" },
    time: "ts",
    partition: "toYYYYMM(ts)",
    order: "kind, ts, seq",
    keep: "toIntervalYear(1)",
  },
  recorder_runs: {
    row: { started: "", host: "h", pid: 1, version: "1", config_hash: "0" },
    time: "started",
    partition: "toYYYYMM(started)",
    order: "recorder, started, seq",
    keep: "toIntervalYear(1)",
  },
} as const;
type TableName = keyof typeof TABLES;
const NAMES = Object.keys(TABLES) as TableName[];

/** A row of `table` whose times are all `time`, and what else it has. */
function rowOf(table: TableName, time: string, more: object = {}): { table: string } {
  const entries = Object.entries(TABLES[table].row).map(([key, value]) => [key, value === "" ? time : value]);
  return { table, ...(Object.fromEntries(entries) as object), ...more };
}

async function count(table: string, where = "1"): Promise<number> {
  return Number(await clickhouse.text(`SELECT count() FROM ${table} WHERE ${where} FORMAT TSV`));
}

interface TableInfo {
  readonly name: TableName;
  readonly partition_key: string;
  readonly sorting_key: string;
  readonly engine_full: string;
  readonly comment: string;
}

const infos = await clickhouse.rows<TableInfo>(
  `SELECT name, partition_key, sorting_key, engine_full, comment FROM system.tables
   WHERE database = currentDatabase() AND engine = 'MergeTree' AND name != 'schema_migrations' ORDER BY name`,
);

test("there are the nine tables, cut, ordered and kept as they should be, each with a comment", () => {
  assert.deepEqual(
    infos.map(({ name }) => name),
    [...NAMES].sort(),
  );
  for (const { name, partition_key, sorting_key, engine_full, comment } of infos) {
    const { time, partition, order, keep } = TABLES[name];
    assert.equal(partition_key, partition);
    assert.equal(sorting_key, order);
    assert.notEqual(comment, "");
    const ttl = `TTL (greatest(toDateTime(${time}), toDateTime(ts_ingest)) + ${keep}) + toIntervalDay(7) SETTINGS`;
    assert.ok(engine_full.includes(ttl), engine_full);
    assert.match(engine_full, /\bttl_only_drop_parts = 1, non_replicated_deduplication_window = 10000\b/);
    const isSynced = engine_full.includes("fsync_after_insert = 1, fsync_part_directory = 1");
    assert.equal(isSynced, name !== "market_data", name);
  }
});

test("every column says what it means and ends in its unit", async () => {
  const columns = await clickhouse.rows<{ table: string; name: string; comment: string }>(
    `SELECT table, name, comment FROM system.columns
     WHERE database = currentDatabase() AND table IN (${NAMES.map((name) => `'${name}'`).join()}, 'schema_migrations')`,
  );
  assert.ok(columns.length > 150);
  assert.deepEqual(
    columns.filter(({ comment }) => !/^\S.+ \[[^\]]+\]$/.test(comment)),
    [],
  );
});

test("a row needs exactly the required columns, besides those that the recorder fills in", async () => {
  const recorders = ["env", "recorder", "run", "seq"];
  for (const table of await readTables(clickhouse)) {
    const required = table.columns.filter((column) => column.required).map(({ name }) => name);
    const expected = [...Object.keys(TABLES[table.name as TableName].row), ...recorders];
    assert.deepEqual(required.sort(), expected.sort(), table.name);
    const filled = table.columns.filter((column) => column.filledByServer).map(({ name }) => name);
    assert.deepEqual(filled, ["ts_ingest"], table.name);
  }
});

test("times are nanoseconds in UTC, prices Decimal(18, 8), other figures Decimal(38, 8), nothing is a float", async () => {
  for (const table of await readTables(clickhouse)) {
    for (const { name, type } of table.columns) {
      const where = `${table.name}.${name} ${type}`;
      assert.doesNotMatch(type, /Float/, where);
      if (type.includes("Date")) assert.match(type, /^(Nullable\()?DateTime64\(9, 'UTC'\)\)?$/, where);
      if (/_px1?$|^order_rate$/.test(name)) assert.match(type, /Decimal\(18, 8\)/, where);
      else if (type.includes("Decimal")) assert.match(type, /Decimal\(38, 8\)/, where);
    }
  }
});

test("run, seq, source and source_seq are indexed in every table", async () => {
  const indices = await clickhouse.rows<{ table: string; found: string[] }>(
    `SELECT table, arraySort(groupArray(name || ' ' || type)) AS found FROM system.data_skipping_indices
     WHERE database = currentDatabase() AND name IN ('run', 'seq', 'source', 'source_seq') GROUP BY table`,
  );
  assert.equal(indices.length, NAMES.length);
  for (const { table, found } of indices) {
    assert.deepEqual(found, ["run minmax", "seq minmax", "source set", "source_seq minmax"], table);
  }
});

test("rows of 2014 recorded today are still there after the merges, in every table", async () => {
  for (const name of NAMES) {
    await storeRows(clickhouse, [rowOf(name, "2014-05-02 12:30:00.123456789", { recorder: "backfill" })]);
    await clickhouse.command(`OPTIMIZE TABLE ${name} FINAL`);
    assert.equal(await count(name, "recorder = 'backfill'"), 1, name);
  }
});

test("rows that were also recorded long ago go away with the merges, in every table", async () => {
  const old = "2014-05-02 12:30:00";
  for (const name of NAMES) {
    await clickhouse.command(`TRUNCATE TABLE ${name}`);
    await storeRows(clickhouse, [rowOf(name, old, { ts_ingest: old })]);
    await clickhouse.command(`OPTIMIZE TABLE ${name} FINAL`);
    assert.equal(await count(name), 0, name);
  }
});

test("a second insert under one deduplication token stores nothing, in every table", async () => {
  for (const name of NAMES) {
    const { table: _, ...row } = rowOf(name, "2026-03-02 10:00:00", {
      env: "e",
      recorder: "token",
      run: 1,
      seq: 0,
    }) as {
      table: string;
    };
    for (let attempt = 0; attempt < 2; attempt += 1) {
      await clickhouse.insert({
        sql: `INSERT INTO ${name} FORMAT JSONEachRow`,
        body: Buffer.from(JSON.stringify(row)),
        settings: { async_insert: 0, insert_deduplication_token: `${name}-1` },
      });
    }
    assert.equal(await count(name, "recorder = 'token'"), 1, name);
  }
});

test("figures of any market fit: tokens by the quintillion, a price of a satoshi, ids beyond 2^53", async () => {
  const figures = {
    bid_px1: "-9999999999.99999999",
    ask_px1: "0.00000001",
    bid_sz1: "999999999999999999999999999999.99999999",
    exchange_seq: "18446744073709551615",
  };
  await storeRows(clickhouse, [
    rowOf("market_data", "2026-03-02 10:00:00", { recorder: "wide", ...figures }),
  ]);
  const [row] = await clickhouse.rows(
    "SELECT bid_px1, ask_px1, bid_sz1, exchange_seq FROM market_data WHERE recorder = 'wide'",
  );
  assert.deepEqual(row, figures);
});

/** Parts and granules that a question reads, of how many, by the last index that the plan names. */
async function readsOf(sql: string): Promise<{ parts: string; granules: string }> {
  const lines = await clickhouse.rows<{ explain: string }>(
    `SELECT explain FROM (EXPLAIN indexes = 1 ${sql})`,
  );
  const plan = lines.map(({ explain }) => explain).join("\n");
  const last = (word: string): string =>
    [...plan.matchAll(new RegExp(`${word}: (\\d+/\\d+)`, "g"))].at(-1)![1]!;
  return { parts: last("Parts"), granules: last("Granules") };
}

test("asking which rows of a source, or of a run, are stored reads little more than those", async () => {
  await clickhouse.command("TRUNCATE TABLE market_data");
  await clickhouse.command("SYSTEM STOP MERGES market_data");
  for (const file of [1, 2, 3]) {
    await clickhouse.command(
      `INSERT INTO market_data (ts_exchange, ts_local, symbol, kind, env, recorder, run, seq, source, source_seq)
       SELECT toDateTime64('2026-03-02 00:00:00', 9, 'UTC') + INTERVAL number SECOND AS ts, ts, 'S', 'quote', 'prod', 'r',
         ${file} * 1000000007, number, 'file-${file}', number FROM numbers(80000)`,
    );
  }
  const bySource = await readsOf("SELECT source_seq FROM market_data WHERE source = 'file-2'");
  assert.equal(bySource.parts, "1/3");
  const ofFew = await readsOf(
    "SELECT source_seq FROM market_data WHERE source = 'file-2' AND source_seq BETWEEN 100 AND 200",
  );
  assert.equal(ofFew.granules.split("/")[0], "1");
  const byRun = await readsOf(
    "SELECT count() FROM market_data WHERE run = 2000000014 AND seq BETWEEN 30000 AND 30010",
  );
  assert.equal(byRun.granules.split("/")[0], "1");
});
