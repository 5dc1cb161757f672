import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, test } from "node:test";
import { request } from "undici";
import { ask, startTestEngine } from "../support/engine.js";
import { until } from "../support/until.js";

const { engine, clickhouse } = await startTestEngine({ after });
const MIB = 2 ** 20;

function engineMemory(): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${engine.pid}/status`, "utf8"))![1]) * 1024;
}

/** Statements that the engine runs beside the one that asks. */
async function running(): Promise<number> {
  return Number(await clickhouse.text("SELECT count() - 1 FROM system.processes", { timeoutMs: 30_000 }));
}

test("a streamed result is the whole result, in every kind of format", async () => {
  for (const format of ["TSV", "JSON", "JSONEachRow", "CSVWithNames", "Native", "RowBinary", "Parquet"]) {
    const sql = `SELECT number, toString(number) AS s FROM numbers(200000) FORMAT ${format}`;
    const chunks: Buffer[] = [];
    for await (const chunk of await clickhouse.stream(sql)) chunks.push(chunk as Buffer);
    const insert = {
      sql: `INSERT INTO FUNCTION null('number UInt64, s String') FORMAT ${format}`,
      body: Buffer.concat(chunks),
    };
    await clickhouse.insert(insert);
    if (format === "TSV") assert.equal(Buffer.concat(chunks).length, 2_577_780);
  }
});

test("400 MB stream through without filling memory on either side", async () => {
  const stream = async (rows: number): Promise<{ bytes: number; engine: number; client: number }> => {
    const peak = { bytes: 0, engine: 0, client: 0 };
    const sql = `SELECT number, randomPrintableASCII(100) FROM numbers(${rows}) FORMAT RowBinary`;
    let next = 0;
    for await (const chunk of await clickhouse.stream(sql)) {
      peak.bytes += (chunk as Buffer).length;
      if (peak.bytes < next) continue;
      next += 8 * MIB;
      peak.engine = Math.max(peak.engine, engineMemory());
      peak.client = Math.max(peak.client, process.memoryUsage().rss);
    }
    return peak;
  };
  // What the engine and both heaps keep in any case comes with the first megabytes.
  const small = await stream(900_000);
  const large = await stream(3_900_000);
  assert.equal(large.bytes, 3_900_000 * 109);
  for (const side of ["engine", "client"] as const) {
    const grown = (large[side] - small[side]) / MIB;
    // A side that kept the rows would grow by 312 MiB; the allocators keep up to 80.
    assert.ok(grown < 128, `${side} grew by ${grown} MiB`);
  }
});

test("a reader that stops holds the engine back", async () => {
  const { body } = await request(engine.url, {
    method: "POST",
    body: "SELECT number FROM numbers(100000000) FORMAT RowBinary",
  });
  const before = engineMemory();
  const progress = async (): Promise<string> =>
    clickhouse.text(
      "SELECT sum(read_rows) FROM system.processes WHERE query LIKE '%numbers(100000000)%' AND query NOT LIKE '%processes%'",
    );
  let last = "";
  await until("a standstill", async () => {
    const now = await progress();
    const isStill = now === last && now !== "0\n";
    last = now;
    return isStill;
  });
  assert.ok(Number(last) < 20_000_000, `${last.trim()} rows were made for a reader that took none`);
  assert.ok(engineMemory() - before < 80 * MIB);
  body.destroy();
  body.on("error", () => {});
  await until("the end of the abandoned query", async () => (await running()) === 0);
});

test("an exception in mid-result ends it with a tagged trailer", async () => {
  const sql =
    "SELECT throwIf(number = 3000000, 'in the middle') FROM numbers(10000000) SETTINGS max_threads = 1 FORMAT TSV";
  const answer = await request(engine.url, { method: "POST", body: sql });
  const tag = answer.headers["x-clickhouse-exception-tag"] as string;
  const text = await answer.body.text();
  assert.equal(answer.statusCode, 200);
  assert.match(tag, /^\w{16}$/);
  const end = text.slice(-2000);
  const match = new RegExp(
    `\\r\\n__exception__\\r\\n${tag}\\r\\n([^]*\\n)(\\d+) ${tag}\\r\\n__exception__\\r\\n$`,
  ).exec(end);
  assert.ok(match, end);
  assert.equal(Buffer.byteLength(match[1]!), Number(match[2]));
  assert.match(match[1]!, /^Code: 395\. DB::Exception: .*in the middle/);
  await assert.rejects(
    async () => {
      for await (const _ of await clickhouse.stream(sql));
    },
    { clickhouseCode: 395, status: 200, type: "FUNCTION_THROW_IF_VALUE_IS_NON_ZERO" },
  );
});

test("with wait_end_of_query an exception in mid-result is a status", async () => {
  const body = "SELECT throwIf(number = 3000000) FROM numbers(10000000) FORMAT TSV";
  const answer = await ask(engine, { body, search: { wait_end_of_query: "1" } });
  assert.deepEqual([answer.status, answer.headers["x-clickhouse-exception-code"]], [500, "395"]);
});

test("a whole result of 50 MB comes after its end, with its length", async () => {
  const body = "SELECT randomPrintableASCII(1000) FROM numbers(50000) FORMAT RowBinary";
  const answer = await request(`${engine.url}/?wait_end_of_query=1`, { method: "POST", body });
  const bytes = (await answer.body.arrayBuffer()).byteLength;
  assert.equal(bytes, 50_000 * 1002);
  assert.equal(answer.headers["content-length"], String(bytes));
});

test("a query ends when its client has gone, whether it answers yet or not", async () => {
  for (const sql of [
    "SELECT number FROM numbers(100000000000) FORMAT TSV",
    "SELECT sleepEachRow(1) FROM numbers(100) SETTINGS max_block_size = 1, function_sleep_max_microseconds_per_block = 1000000000",
    "SELECT count() FROM numbers(1000000000000) WHERE sipHash64(number) = 1",
  ]) {
    for (const wait of ["0", "1"]) {
      const gone = new AbortController();
      const answer = request(`${engine.url}/?wait_end_of_query=${wait}`, {
        method: "POST",
        body: sql,
        signal: gone.signal,
      });
      const failed = answer.then(
        ({ body }) => body.text().catch(() => ""),
        () => "",
      );
      await until("the start", async () => (await running()) > 0);
      gone.abort();
      await failed;
      await until(`the end of ${sql}`, async () => (await running()) === 0);
    }
  }
  // The pipes are whole again: each of them still gives a result.
  const answers = await Promise.all(Array.from({ length: 12 }, () => ask(engine, { body: "SELECT 1" })));
  assert.ok(answers.every((answer) => answer.text === "1\n"));
});

test("Parquet comes in small row groups, unless the request says otherwise", async () => {
  const body =
    "SELECT toString(getSetting('output_format_parquet_row_group_size')) AS s FORMAT Parquet " +
    "SETTINGS output_format_parquet_compression_method = 'none'";
  assert.match((await ask(engine, { body })).text, /262144/);
  const search = { output_format_parquet_row_group_size: "77777" };
  assert.match((await ask(engine, { body, search, asOwner: false })).text, /77777/);
});
