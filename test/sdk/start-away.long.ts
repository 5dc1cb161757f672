import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { ConfigInput } from "../../src/config/schema.js";
import { createRecorder, us } from "../../src/index.js";
import { migrate } from "../../src/schemas/migrate.js";
import { startTestEngine } from "../support/engine.js";
import { FaultProxy } from "../support/fault-proxy.js";
import { temporaryFolder } from "../support/folder.js";
import { order, quote } from "./logged-fixture.js";

const { engine, clickhouse } = await startTestEngine({ after });
process.env["COLDPATH_CLICKHOUSE_PASSWORD"] = engine.password;
const proxy = await FaultProxy.start({ after }, engine.url);
const ROWS = 3000;

/** A process that records so many orders, and is killed once it knows them to be durable. */
async function recordAndDie(t: TestContext, config: ConfigInput): Promise<void> {
  const program = fileURLToPath(new URL("./durable-child.js", import.meta.url));
  const child = spawn(process.execPath, [program, JSON.stringify({ config, rows: ROWS })], {
    stdio: ["pipe", "pipe", "ignore"],
  });
  t.after(() => child.kill("SIGKILL"));
  const lines = createInterface(child.stdout);
  await once(lines, "line");
  child.stdin.write("go\n");
  await once(lines, "line");
  child.kill("SIGKILL");
  await once(child, "exit");
}

test("processes that start while ClickHouse is away, are killed and start again lose and double nothing once it is there", async (t) => {
  await proxy.refuse();
  const config = {
    data_dir: await temporaryFolder(t),
    recorder: { id: "away" },
    clickhouse: { url: proxy.url, database: "default" },
  };
  await recordAndDie(t, config);
  await recordAndDie(t, config);
  const warned = once(process, "warning");
  const recorder = await createRecorder({ config });
  t.after(() => recorder.close({ deadline: 0 }));
  const [warning] = await warned;
  assert.match(warning.message, /records without ClickHouse.*connection refused/s);
  for (let number = 0; number < ROWS; number += 1) assert.ok(recorder.orders.record(order(number)));
  for (let number = 0; number < ROWS; number += 1) assert.ok(recorder.marketData.record(quote(number)));
  await recorder.durable();
  const { link, run } = await recorder.stats();
  assert.deepEqual([link.state, link.life], ["down", undefined]);
  // The server was never set up: that is told, and waited for.
  const refused = once(recorder, "event");
  await proxy.accept();
  let [event] = await refused;
  while (event.kind !== "start_refused") [event] = await once(recorder, "event");
  assert.match(event.message, /recorder_runs|is missing|coldpath migrate/);
  await migrate(clickhouse);
  await recorder.flush();
  const [found] = await clickhouse.rows<Record<string, string>>(
    `SELECT count() AS rows, uniqExact(run, seq) AS different, uniqExact(run) AS runs,
            countIf(run = ${run}) AS own, uniqExactIf((run, qty), qty <= ${ROWS}) AS durable,
            (SELECT count() FROM market_data) AS quotes,
            (SELECT groupArray(toString(run)) FROM recorder_runs) = ['${run}'] AS registered
     FROM orders`,
  );
  const { rows, different, ...others } = found!;
  assert.deepEqual(others, {
    runs: "3",
    own: `${ROWS}`,
    durable: `${3 * ROWS}`,
    quotes: `${ROWS}`,
    registered: 1,
  });
  assert.equal(rows, different, "none is there twice");
});

test("a user's own table is known without ClickHouse once it was seen, and not before", async (t) => {
  const schemas = await temporaryFolder(t);
  const sql = `CREATE TABLE notes (ts DateTime64(9, 'UTC'), note String,
    env LowCardinality(String), recorder LowCardinality(String), run UInt64, seq UInt64,
    source LowCardinality(String) DEFAULT '', source_seq Nullable(UInt64)
  ) ENGINE = MergeTree PARTITION BY toYYYYMM(ts) ORDER BY (ts, seq) SETTINGS non_replicated_deduplication_window = 10000`;
  await writeFile(join(schemas, "0001_notes.sql"), sql);
  const config = {
    data_dir: await temporaryFolder(t),
    recorder: { id: "notes" },
    schemas: [schemas],
    tables: { notes: {} },
    clickhouse: { url: proxy.url, database: "default" },
  };
  await proxy.refuse();
  await assert.rejects(createRecorder({ config }), {
    code: "TABLE_UNKNOWN",
    message: /ClickHouse has answered once/,
  });
  await proxy.accept();
  await migrate(clickhouse, { userDirs: [schemas] });
  await (await createRecorder({ config })).close();
  await proxy.refuse();
  const recorder = await createRecorder({ config });
  t.after(() => recorder.close({ deadline: 0 }));
  assert.ok(recorder.table("notes").record({ ts: us(Date.now() * 1000), note: "n" }));
  await recorder.durable();
  await proxy.accept();
  await recorder.flush();
  assert.equal(await clickhouse.text("SELECT note FROM notes FORMAT TSV"), "n\n");
});
