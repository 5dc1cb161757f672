import assert from "node:assert/strict";
import { once } from "node:events";
import { join } from "node:path";
import { after, test } from "node:test";
import { DAY_MS } from "../../src/base/units.js";
import { Normaliser } from "../../src/intake/normalise/normaliser.js";
import { dropLetters } from "../../src/letters/drop.js";
import { retryLetters } from "../../src/letters/retry.js";
import { selectedLetters } from "../../src/letters/selection.js";
import type { TableRetry } from "../../src/letters/table-retry.js";
import type { DeadLetter, Refused } from "../../src/sink/dead-letter.js";
import { DeadLetters } from "../../src/sink/dead-letters.js";
import { openPlace, type Place, startTables } from "../intake/fixture.js";
import { CliProcess, type CliRun } from "../support/cli.js";

const clickhouse = await startTables({ after });
const { url, user, password } = clickhouse.options;

function order(id: string, more = ""): string {
  return `{"ts":"2026-01-05T09:30:00Z","client_order_id":"${id}","strategy":"s","symbol":"X","side":"buy","qty":"1.5","status":"new"${more}}`;
}

function start(place: Place, args: readonly string[], env: Record<string, string> = {}): CliProcess {
  const set = [`data_dir=${place.folder}`, `clickhouse.url=${url}`, `clickhouse.user=${user}`];
  return new CliProcess(["dead-letter", ...args, ...set.flatMap((each) => ["--set", each])], place.folder, {
    COLDPATH_CLICKHOUSE_PASSWORD: password!,
    ...env,
  });
}

async function run(place: Place, ...args: readonly string[]): Promise<CliRun> {
  return await start(place, args).ended();
}

async function json<T>(place: Place, ...args: readonly string[]): Promise<T> {
  const { stdout, stderr } = await run(place, ...args, "--json");
  assert.equal(stderr, "");
  return JSON.parse(stdout) as T;
}

/** The oracle: how often each order is stored, by plain SQL. */
async function stored(prefix: string): Promise<Record<string, number>> {
  const rows = await clickhouse.rows<{ id: string; n: string }>(
    `SELECT client_order_id AS id, count() AS n FROM orders WHERE startsWith(client_order_id, '${prefix}') GROUP BY id`,
  );
  return Object.fromEntries(rows.map(({ id, n }) => [id, Number(n)]));
}

async function keep(
  place: Place,
  ...bodies: readonly (Partial<Refused> & Pick<Refused, "body">)[]
): Promise<void> {
  const letters = await DeadLetters.open(join(place.folder, "dead-letters"), 99n, assert.fail);
  const row = { table: "orders", recorder: "test", run: "99", seq: null, source: null, source_seq: null };
  for (const body of bodies) await letters.add({ ...row, code: "VALUE_REJECTED", reason: "no", ...body });
  await letters.close();
}

/** As the command does, in this process. */
async function retryAll(place: Place): Promise<TableRetry[]> {
  const folder = join(place.folder, "dead-letters");
  const ids = new Set<string>();
  for await (const { id } of selectedLetters(folder, {})) ids.add(id);
  return await retryLetters({
    folder,
    ids,
    clickhouse,
    recorder: "test",
    env: "dev",
    accept: { past: 365 * DAY_MS, future: DAY_MS },
    normaliser: new Normaliser({ depth: 5 }),
    waitsForQuorum: () => false,
    signal: new AbortController().signal,
  });
}

test("rows that ClickHouse refused come in under their own number once it takes them, and only once if the command is killed between", async (t) => {
  const place = await openPlace(t, clickhouse);
  await clickhouse.command("ALTER TABLE orders ADD CONSTRAINT small CHECK qty < 1000");
  const writer = place.recorder.table("orders");
  for (let i = 0; i < 20; i += 1) {
    const qty = i % 4 === 0 ? "5000" : "1";
    writer.offer({ ...JSON.parse(order(`k-${i}`)), qty });
  }
  await place.recorder.flush();
  assert.equal(place.recorder.stats().tables["orders"]!.deadLettered, 5);
  const still = await retryAll(place);
  assert.deepEqual([still[0]!.stored, still[0]!.left], [0, 5]);
  assert.match(still[0]!.errors[0]!.reason, /Constraint `small`/);
  await clickhouse.command("ALTER TABLE orders DROP CONSTRAINT small");
  const killed = start(place, ["retry", "--table", "orders"], {
    COLDPATH_TEST_CRASH_AT: "dead_letter.retry",
  });
  await once(killed.child, "exit");
  assert.equal(killed.child.signalCode, "SIGKILL");
  assert.equal((await place.deadLetters()).length, 5, "the letters are still there");
  const [last] = await json<TableRetry[]>(place, "retry", "--table", "orders");
  assert.deepEqual([last!.stored, last!.found, last!.left], [0, 5, 0]);
  assert.deepEqual(await place.deadLetters(), []);
  const all = await stored("k-");
  assert.deepEqual(all, Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`k-${i}`, 1])));
  const [seqs] = await clickhouse.rows<{ n: string; first: string; last: string }>(
    `SELECT uniqExact(seq) AS n, min(seq) AS first, max(seq) AS last FROM orders
     WHERE startsWith(client_order_id, 'k-') AND run = ${place.recorder.run}`,
  );
  assert.deepEqual(seqs, { n: "20", first: "1", last: "20" }, "contiguous, as they were given");
});

test("rows refused before they had a number are read again; what cannot be read stays, with the reason", async (t) => {
  const place = await openPlace(t, clickhouse);
  await keep(
    place,
    { body: { text: "{}" }, table: "gone" },
    { body: { text: order("t-1") } },
    { body: { text: order("t-2", ',"source":"feed","source_seq":8') } },
    { body: { text: order("t-3") }, source: "a.ndjson", source_seq: "3" },
    { body: { text: order("t-4", ',"sidee":"up"') } },
    { body: { text: "2026-01-05,t-5,abc" }, source: "a.csv", source_seq: "9" },
    { body: { raw: Buffer.from([0xff, 0xfe]) } },
    { body: { text: order("t-6", `,"note":"${"x".repeat(70_000)}"`) } },
    { body: { text: order("t-7").replace("2026-01-05", "1960-01-05") } },
  );
  const [gone, retried] = await retryAll(place);
  assert.match(gone!.errors[0]!.reason, /gone/);
  assert.deepEqual([retried!.stored, retried!.found], [3, 0]);
  assert.deepEqual(await stored("t-"), { "t-1": 1, "t-2": 1, "t-3": 1 });
  const reasons = retried!.errors.map(({ reason }) => reason);
  assert.equal(reasons.length, 5);
  for (const [index, expected] of [
    /sidee/,
    /no JSON object; coldpath ingest takes it from a\.csv again/,
    /bytes are not text/,
    /only the first part of its \d+ bytes was kept/,
    /outside the event times taken/,
  ].entries())
    assert.match(reasons[index]!, expected);
  assert.equal((await place.deadLetters()).length, 6);
  const rows = await clickhouse.rows(
    "SELECT source, source_seq, env, recorder FROM orders WHERE client_order_id IN ('t-2', 't-3') ORDER BY source",
  );
  assert.deepEqual(rows, [
    { source: "a.ndjson", source_seq: "3", env: "dev", recorder: "test" },
    { source: "feed", source_seq: "8", env: "dev", recorder: "test" },
  ]);
});

test("a row whose line was stored meanwhile by another way stays a letter and is not stored again", async (t) => {
  const place = await openPlace(t, clickhouse);
  const file = await place.write("o.ndjson", `${order("o-1", ',"qty":"x"').replace('"qty":"1.5",', "")}\n`);
  const before = await place.ingest({ table: "orders", files: [file], sourceName: "o" });
  assert.equal(before.rejected, 1);
  await keep(place, { body: { text: order("o-2") }, source: "o", source_seq: "1" });
  await place.write("o.ndjson", `${order("o-1")}\n`);
  assert.equal((await place.ingest({ table: "orders", files: [file], sourceName: "o" })).stored, 1);
  const [retried] = await retryAll(place);
  assert.deepEqual([retried!.stored, retried!.found, retried!.left], [0, 0, 2]);
  assert.match(retried!.errors.map(({ reason }) => reason).join(), /another row of o, number 1, is stored/);
  assert.deepEqual(await stored("o-"), { "o-1": 1 });
});

test("letters are counted by table and reason, shown with their rows, and dropped only when that is meant", async (t) => {
  const place = await openPlace(t, clickhouse);
  const writer = place.recorder.table("orders");
  for (const qty of ["abc", "abd", "xyz"]) {
    await writer.rejected(order("s-1"), new Error(`column qty: '${qty}' is not a decimal number`));
  }
  await clickhouse.command("ALTER TABLE market_data ADD CONSTRAINT named CHECK symbol != 'BAD'");
  place.recorder.table("market_data").offer({
    ts_exchange: "2024-05-01T00:00:00.000000001Z",
    ts_local: "2024-05-01T00:00:00Z",
    symbol: "BAD",
    kind: "quote",
    bid_px1: "1.25",
  });
  await place.recorder.flush();
  await clickhouse.command("ALTER TABLE market_data DROP CONSTRAINT named");
  type Groups = readonly { readonly table: string; readonly letters: number; readonly reason: string }[];
  const [summary, shown] = await Promise.all([
    json<{ letters: number; groups: Groups }>(place, "ls"),
    json<(DeadLetter & { row: string })[]>(place, "show", "--table", "market_data"),
  ]);
  assert.equal(summary.letters, 4);
  assert.deepEqual(
    summary.groups.map(({ table, letters }) => [table, letters]),
    [
      ["market_data", 1],
      ["orders", 3],
    ],
  );
  assert.equal(summary.groups[1]!.reason, "column qty: '…' is not a decimal number");
  const row = JSON.parse(shown[0]!.row) as Record<string, unknown>;
  assert.deepEqual([row["symbol"], row["bid_px1"], row["seq"]], ["BAD", "1.25", "1"]);
  assert.match(String(row["ts_exchange"]), /2024-05-01[T ]00:00:00\.000000001/);
  const refusal = await run(place, "drop", "--all");
  assert.equal(refusal.code, 2);
  assert.match(refusal.stderr, /4 rows will be gone for ever: --force drops them/);
  assert.equal((await place.deadLetters()).length, 4);
  const { stdout } = await run(place, "drop", shown[0]!.id, "--force");
  assert.equal(stdout, "1 rows dropped\n");
  // The recorder runs on, and adds to the file that letters are taken out of.
  const others = new Set((await place.deadLetters()).map(({ id }) => id));
  assert.equal(await dropLetters(join(place.folder, "dead-letters"), others), 3);
  await writer.rejected("later", new Error("later"));
  assert.deepEqual(
    (await place.deadLetters()).map(({ bytes }) => bytes),
    ["later"],
  );
});
