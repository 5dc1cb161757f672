import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, test } from "node:test";
import { CliProcess, type CliRun, cli } from "../support/cli.js";
import { temporaryFolder } from "../support/folder.js";
import { layMigrated } from "../support/migrated.js";
import { until } from "../support/until.js";

/** A service as an operator runs it, with its file beside it. */
class Served {
  readonly folder: string;
  readonly serve: CliProcess;
  url = "";
  #clickhouse = "";
  #token = "";
  #ingested = 0;

  private constructor(folder: string) {
    this.folder = folder;
    this.serve = new CliProcess(["serve", "--set", "admin.listen=127.0.0.1:0"], folder);
  }

  static async start(yaml: string): Promise<Served> {
    const folder = await temporaryFolder({ after });
    await layMigrated(join(folder, "data", "clickhouse"));
    await writeFile(join(folder, "coldpath.yaml"), yaml);
    const served = new Served(folder);
    after(() => served.serve.stop());
    const [, url] = await served.serve.printed(/status +(http:\S+)\//);
    served.url = url!;
    [, served.#clickhouse = ""] = await served.serve.printed(/ClickHouse +(http:\S+)/);
    served.#token = (await readFile(join(folder, "data", "admin-token"), "utf8")).trim();
    return served;
  }

  /** A command of an operator beside it. */
  async command(...words: readonly string[]): Promise<CliRun> {
    return await cli(["--set", `admin.listen=${new URL(this.url).host}`, ...words], this.folder);
  }

  async write(yaml: string): Promise<void> {
    await writeFile(join(this.folder, "coldpath.yaml"), yaml);
  }

  async get<T>(path: string): Promise<T> {
    return (await (await fetch(`${this.url}${path}`)).json()) as T;
  }

  async post(path: string, body = ""): Promise<Response> {
    const headers = { authorization: `Bearer ${this.#token}`, "content-type": "application/x-ndjson" };
    return await fetch(`${this.url}${path}`, { method: "POST", headers, body });
  }

  async reload(): Promise<ReloadAnswer> {
    const answer = await this.post("/api/reload");
    return { status: answer.status, ...((await answer.json()) as Omit<ReloadAnswer, "status">) };
  }

  /** Takes so many orders and as many quotes. */
  async ingest(rows: number): Promise<void> {
    const ids = Array.from({ length: rows }, () => `o${++this.#ingested}`);
    const ts = new Date().toISOString();
    const bodies = {
      orders: ids.map((client_order_id) => ({
        ...{ ts, client_order_id, strategy: "s", symbol: "X", side: "buy", qty: "1", status: "new" },
      })),
      market_data: ids.map((_, index) => ({
        ...{ ts_exchange: ts, ts_local: ts, symbol: `S${index % 7}`, venue: "v", kind: "quote" },
        ...{ bid_px1: `${index}`, bid_sz1: "1", ask_px1: `${index + 1}`, ask_sz1: "1" },
      })),
    };
    for (const [table, body] of Object.entries(bodies)) {
      const lines = body.map((row) => `${JSON.stringify(row)}\n`).join("");
      const answer = await this.post(`/v1/ingest/${table}`, lines);
      const text = await answer.text();
      assert.equal(answer.status, 200, text);
      assert.deepEqual([JSON.parse(text).accepted, JSON.parse(text).rejected], [rows, 0]);
    }
  }

  async sumsOf(table: string): Promise<Sums> {
    return (await this.get<{ tables: Record<string, Sums> }>("/api/status")).tables[table]!;
  }

  get ingested(): number {
    return this.#ingested;
  }

  async query<T>(sql: string): Promise<T[]> {
    const body = `${sql} FORMAT JSONEachRow`;
    const answer = await fetch(`${this.#clickhouse}/?database=coldpath`, { method: "POST", body });
    const text = await answer.text();
    assert.equal(answer.status, 200, text);
    const lines = text.split("\n").filter((line) => line !== "");
    return lines.map((line) => JSON.parse(line) as T);
  }
}

const ROUNDS = 10;

/** Stands in every file: it cannot change while the service runs. */
const ENV = "recorder: { env: a }\n";
const served = await Served.start(ENV);

interface ReloadAnswer {
  readonly status: number;
  readonly applied?: readonly { path: string; from: string; to: string }[];
  readonly needsRestart?: readonly { path: string; reason: string }[];
  readonly error?: { message: string };
  readonly issues?: readonly { path: string; message: string }[];
}

interface Sums {
  readonly offered: number;
  readonly accepted: number;
  readonly stored: number;
  readonly deduplicated: number;
  readonly sampled: number;
  readonly pending: { readonly rows: number };
  readonly conservation: { readonly holds: boolean; readonly violations: number };
  readonly level: { readonly index: number; readonly step: string };
}

/** Other limits, rules and steps each time. */
function otherConfig(round: number): string {
  const policies = ["{ dedup: bbo }", "{ sample: 20ms }", "{ conflate: 10ms }", "{}"];
  const ladders = ["[]", "[{ do: dedup, enter: 5% }, { do: drop_quotes, enter: 99% }, { do: drop_trades }]"];
  return [
    ENV,
    "tables:",
    `  market_data: { flush: { rows: ${1 + (round % 5) * 400}, age: ${5 + (round % 3) * 200}ms }, policy: ${policies[round % 4]}, degrade: ${ladders[round % 2]} }`,
    `  orders: { flush: { rows: ${1 + ((round + 2) % 5) * 100}, age: ${5 + (round % 4) * 100}ms, bytes: ${1 + (round % 3)}MiB } }`,
    `conditions: { drop_rate: ${1 + (round % 9)}% }`,
    `log: { level: ${round % 2 === 0 ? "info" : "debug"} }`,
    "",
  ].join("\n");
}

test("under load a service is reloaded again and again, by signal and by request at once, and each row is there once", async () => {
  let isDone = false;
  const load = (async () => {
    while (!isDone) await served.ingest(200);
  })();
  const answers: ReloadAnswer[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    await served.write(otherConfig(round));
    served.serve.child.kill("SIGHUP");
    answers.push(...(await Promise.all([served.reload(), served.reload()])));
  }
  isDone = true;
  await load;
  assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200]);
  assert.ok(served.ingested > 0);
  assert.equal((await served.post("/api/flush?wait=60")).status, 200);
  const { tables } = await served.get<{ tables: Record<string, Sums> }>("/api/status");
  const { orders, market_data } = tables as { orders: Sums; market_data: Sums };
  for (const sums of [orders, market_data]) {
    assert.deepEqual([sums.offered, sums.accepted, sums.pending.rows], [served.ingested, served.ingested, 0]);
    assert.deepEqual([sums.conservation.holds, sums.conservation.violations], [true, 0]);
  }
  assert.equal(market_data.stored + market_data.deduplicated + market_data.sampled, served.ingested);
  const [counts] = await served.query<Record<string, string>>(
    `SELECT toString((SELECT count() FROM orders)) AS orders, toString((SELECT uniqExact(client_order_id) FROM orders)) AS ids,
      toString((SELECT count() FROM market_data)) AS quotes, toString((SELECT uniqExact(seq) FROM market_data)) AS numbers`,
  );
  const [all, kept] = [`${served.ingested}`, `${market_data.stored}`];
  assert.deepEqual(counts, { orders: all, ids: all, quotes: kept, numbers: kept });
  // Signals that come at once may be one.
  const told = await served.query<{ by: string; n: number }>(
    "SELECT splitByChar(' ', attributes['by'])[1] AS by, toInt32(count()) AS n FROM system_events WHERE kind = 'reload' AND severity != 'error' GROUP BY by ORDER BY by",
  );
  assert.deepEqual(told[0], { by: "POST", n: 2 * ROUNDS });
  assert.ok(told[1]!.by === "SIGHUP" && told[1]!.n > 0 && told[1]!.n <= ROUNDS, JSON.stringify(told));
});

test("a limit, a rule, a ladder and the log's level hold at once, also for rows that wait", async () => {
  const waiting = "{ rows: 100000, bytes: 8MiB, age: 1m }";
  await served.write(
    `${ENV}tables: { orders: { flush: ${waiting} }, market_data: { flush: ${waiting}, degrade: [] } }`,
  );
  assert.equal((await served.reload()).status, 200);
  const before = { orders: await served.sumsOf("orders"), quotes: await served.sumsOf("market_data") };
  // Orders are taken once they are in the log; quotes once they are stored, for which they would wait a minute.
  const ingested = served.ingest(5);
  await until("quotes that wait", async () => (await served.sumsOf("market_data")).pending.rows === 5);
  assert.equal((await served.sumsOf("orders")).stored, before.orders.stored);
  await served.write(
    `${ENV}log: { level: warn }\ntables: { orders: { flush: { age: 10ms } }, market_data: { flush: { rows: 1 }, policy: { dedup: bbo }, degrade: [{ do: sample, every: 10ms, enter: 5%, leave: 0% }, { do: drop_trades }] } }`,
  );
  const { applied, needsRestart } = await served.reload();
  assert.deepEqual(needsRestart, []);
  assert.ok(applied!.some(({ path, to }) => path === "log.level" && to === "warn"));
  await ingested;
  await until(
    "the storing of orders",
    async () => (await served.sumsOf("orders")).stored === before.orders.stored + 5,
  );
  assert.equal((await served.sumsOf("market_data")).stored, before.quotes.stored + 5);
  const quote =
    '{"ts_exchange":"2026-11-23T00:00:00Z","ts_local":"2026-11-23T00:00:00Z","symbol":"R","venue":"v","kind":"quote","bid_px1":"1","bid_sz1":"1","ask_px1":"2","ask_sz1":"1"}\n';
  assert.equal((await served.post("/v1/ingest/market_data", quote.repeat(3))).status, 200);
  assert.equal((await served.sumsOf("market_data")).deduplicated, before.quotes.deduplicated + 2);
});

test("a file with mistakes changes nothing and tells all of them, by request and by signal; what needs a restart is listed", async () => {
  await served.write(`${ENV}tables: { orders: { flush: { rows: 77 } } }\n`);
  assert.equal((await served.reload()).status, 200);
  const before = await served.get("/api/config");
  await served.write(
    "tables: { orders: { flush: { rows: 0 } } }\nclickhouse: { password: hunter2 }\nzzz: 1\n",
  );
  const refused = await served.reload();
  assert.equal(refused.status, 422);
  const command = await served.command("reload");
  assert.equal(command.code, 2);
  assert.match(command.stderr, /^ {2}zzz: unknown key/m);
  assert.deepEqual(
    refused.issues?.map(({ path }) => path),
    ["clickhouse.password", "tables.orders.flush.rows", "zzz"],
  );
  assert.ok(!JSON.stringify(refused).includes("hunter2"));
  served.serve.child.kill("SIGHUP");
  const [line] = await served.serve.printed(/\{.*"event":"reload","by":"SIGHUP","issues".*\}/);
  assert.equal(JSON.parse(line).issues.length, 3);
  await served.write(`${ENV}tables: { orders: { policy: { dedup: bbo, by: [symbol], news: [qt] } } }\n`);
  assert.deepEqual((await served.reload()).issues, [
    { path: "tables.orders.policy.news.0", message: "orders has no column qt; did you mean qty?" },
  ]);
  assert.deepEqual(await served.get("/api/config"), before);
  await served.write("recorder: { env: b }\n");
  const shown = await served.command("reload");
  assert.equal(shown.code, 0, shown.stderr);
  const lines = shown.stdout
    .trimEnd()
    .split("\n")
    .map((line) => line.replace(/ {2,}/g, " | "));
  assert.deepEqual(lines, [
    "key | from | to | holds",
    "tables.orders.flush.rows | 77 | 2000 | now",
    "recorder.env | a | b | after a restart: it names this start in ClickHouse and in the log",
  ]);
  const { status, applied, needsRestart } = await served.reload();
  assert.deepEqual(
    [status, applied, needsRestart],
    [
      200,
      [],
      [
        {
          path: "recorder.env",
          from: "a",
          to: "b",
          reason: "it names this start in ClickHouse and in the log",
        },
      ],
    ],
  );
  const { values } = await served.get<{ values: { path: string; value: string; origin: string }[] }>(
    "/api/config",
  );
  const of = (path: string) => values.find((each) => each.path === path);
  assert.deepEqual(
    [of("recorder.env")?.value, of("recorder.env")?.origin],
    ["a", "coldpath.yaml:1"],
    "what waits for a restart is as it was",
  );
  assert.deepEqual(
    [of("tables.orders.flush.rows")?.value, of("tables.orders.flush.rows")?.origin],
    ["2000", "default"],
  );
  assert.equal((await fetch(`${served.url}/api/reload`, { method: "POST" })).status, 401);
  const { code, stderr } = await served.serve.stop();
  assert.equal(code, 0, stderr);
  assert.ok(!stderr.includes("hunter2"));
});
