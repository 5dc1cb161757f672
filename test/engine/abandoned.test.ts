import assert from "node:assert/strict";
import { readdirSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { request } from "undici";
import { ask, startTestEngine } from "../support/engine.js";
import { until } from "../support/until.js";

const { engine, clickhouse, dataDir } = await startTestEngine({ after });
await clickhouse.command("CREATE TABLE filled (a UInt64, s String) ENGINE = MergeTree ORDER BY a");

const SELECTS = [
  "SELECT 1",
  "SELECT nosuch",
  "SELECT 1 FORMAT NoSuch",
  "SELECT number, toString(number) FROM numbers(700000)",
  "SELECT number FROM numbers(100000000000)",
  "SELECT sleep(0.05)",
  "SELECT throwIf(number = 900000) FROM numbers(1000000)",
  "SHOW TABLES",
];
const INSERT = "INSERT INTO filled FORMAT TSV";
const ROWS = Array.from({ length: 20_000 }, (_, index) => `${index}\t${index}\n`).join("");

/** Files of the passing folders that the engine's process holds open, removed ones among them. */
function openPassingFiles(): number {
  const fds = `/proc/${engine.pid}/fd`;
  const targets = readdirSync(fds).map((fd) => {
    try {
      return readlinkSync(join(fds, fd));
    } catch {
      // Closed since it was listed.
      return "";
    }
  });
  return targets.filter((target) => /\/(?:incoming|outgoing)\//.test(target)).length;
}

test("whatever clients abandon, every place, pipe and file is free again afterwards", async (t) => {
  const seed = Number(process.env["SEED"] ?? Date.now() % 2 ** 31);
  t.diagnostic(`SEED=${seed}`);
  let state = seed;
  const random = (below: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return Math.floor((state / 0x80000000) * below);
  };
  const headers = { "x-clickhouse-key": engine.password };
  const one = async (round: number): Promise<void> => {
    const isInsert = random(3) === 0;
    const sql = isInsert ? INSERT : SELECTS[random(SELECTS.length)]!;
    const search = new URLSearchParams({ query_id: `round-${round}`, wait_end_of_query: String(random(2)) });
    if (isInsert) search.set("query", sql);
    const body = isInsert ? ROWS : sql;
    const signal = AbortSignal.timeout(1 + random(60));
    await request(`${engine.url}/?${search}`, { method: "POST", headers, body, signal }).then(
      (answer) => answer.body.dump({ limit: Number.MAX_SAFE_INTEGER, signal }).catch(() => {}),
      () => {},
    );
  };
  let round = 0;
  const worker = async (): Promise<void> => {
    while (round < 400) await one(round++);
  };
  await Promise.all(Array.from({ length: 12 }, worker));

  const isQuiet = async (): Promise<boolean> =>
    (await clickhouse.text("SELECT count() FROM system.processes")) === "1\n" &&
    (await ask(engine, { body: "KILL QUERY WHERE 1 TEST" })).text === "" &&
    openPassingFiles() === 0 &&
    readdirSync(join(dataDir, "incoming")).length === 0 &&
    readdirSync(join(dataDir, "outgoing")).every((file) => file.startsWith("pipe-"));
  await until("an engine with nothing left over", isQuiet);
  const reads = await Promise.all(Array.from({ length: 20 }, () => ask(engine, { body: "SELECT 1" })));
  assert.ok(reads.every((answer) => answer.text === "1\n"));
  const writes = Array.from({ length: 6 }, () => ask(engine, { search: { query: INSERT }, body: ROWS }));
  assert.ok((await Promise.all(writes)).every((answer) => answer.status === 200));
  // All or nothing of each INSERT.
  assert.equal(await clickhouse.text("SELECT count() % 20000 FROM filled"), "0\n");
});

test("a statement of half a mebibyte may stand in the URL", async () => {
  const query = `SELECT length('${"x".repeat(500_000)}')`;
  assert.equal((await ask(engine, { search: { query, max_query_size: "1000000" } })).text, "500000\n");
});
