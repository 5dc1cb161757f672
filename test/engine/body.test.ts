import assert from "node:assert/strict";
import { Agent, request as httpRequest } from "node:http";
import { after, test } from "node:test";
import * as zlib from "node:zlib";
import { compressFrameSync } from "lz4-napi";
import { type Answer, ask, startTestEngine } from "../support/engine.js";

const { engine, clickhouse } = await startTestEngine({ after });

const ENCODERS: Readonly<Record<string, (text: string | Buffer) => Buffer>> = {
  gzip: zlib.gzipSync,
  deflate: zlib.deflateSync,
  br: zlib.brotliCompressSync,
  lz4: (text) => compressFrameSync(Buffer.from(text)),
};

function codeOf({ headers }: Answer): string | undefined {
  return headers["x-clickhouse-exception-code"];
}

/** A body as its Content-Encoding says. */
function packed(encoding: string, text: string | Buffer): { headers: Record<string, string>; body: Buffer } {
  return { headers: { "content-encoding": encoding }, body: ENCODERS[encoding]!(text) };
}

test("a whole statement may come in a compressed body", async () => {
  for (const encoding of Object.keys(ENCODERS)) {
    const alone = await ask(engine, packed(encoding, "SELECT 'é' || {x:String}"));
    assert.equal(codeOf(alone), "456", encoding);
    const search = { param_x: "!" };
    const answer = await ask(engine, { ...packed(encoding, "SELECT 'é' || {x:String}"), search });
    assert.equal(answer.text, "é!\n", encoding);
    const begun = await ask(engine, { ...packed(encoding, "+ 1"), search: { query: "SELECT 1" } });
    assert.equal(begun.text, "2\n", encoding);
  }
});

test("an INSERT and its data may come in one compressed body, blank lines and all", async () => {
  const rows = "one\n\nDROP TABLE packed\n";
  for (const encoding of Object.keys(ENCODERS)) {
    await clickhouse.command("CREATE OR REPLACE TABLE packed (s String) ENGINE = Memory");
    for (const [query, text] of [
      ["", `INSERT INTO packed FORMAT TSV\n${rows}`],
      ["INSERT INTO packed", `FORMAT TSV\n${rows}`],
      ["INSERT INTO packed FORMAT TSV\none\n", "DROP TABLE packed\n"],
    ] as const) {
      const answer = await ask(engine, { ...packed(encoding, text), search: { query } });
      assert.equal(answer.status, 200, `${encoding}: ${answer.text}`);
    }
    const stored = await clickhouse.text("SELECT s, count() FROM packed GROUP BY s ORDER BY s");
    assert.equal(stored, "\t3\nDROP TABLE packed\t3\none\t3\n", encoding);
  }
});

test("megabytes of rows behind a statement in a gzip body arrive whole", async () => {
  await clickhouse.command("CREATE TABLE many (a UInt64, s String) ENGINE = Memory");
  const rows = Array.from({ length: 300_000 }, (_, index) => `${index}\trow ${index * 7919}\n`).join("");
  const answer = await ask(engine, packed("gzip", `INSERT INTO many FORMAT TSV\n${rows}`));
  assert.equal(answer.status, 200, answer.text);
  assert.equal(await clickhouse.text("SELECT count(), sum(a) FROM many"), "300000\t44999850000\n");
});

test("a compressed statement is bounded and must be what its header says", async () => {
  const long = `SELECT 1 ${" ".repeat(20 << 20)}`;
  const bomb = await ask(engine, { headers: { "content-encoding": "gzip" }, body: zlib.gzipSync(long) });
  assert.equal(codeOf(bomb), "62");
  assert.match(bomb.text, /longer than 1048576 bytes/);
  const noise = Buffer.from("SELECT 1");
  for (const encoding of Object.keys(ENCODERS)) {
    const answer = await ask(engine, { headers: { "content-encoding": encoding }, body: noise });
    assert.equal(codeOf(answer), "271", `${encoding}: ${answer.text}`);
  }
  const half = zlib.gzipSync("SELECT 1, 2, 3").subarray(0, 15);
  assert.equal(codeOf(await ask(engine, { headers: { "content-encoding": "gzip" }, body: half })), "271");
  for (const encoding of ["xz", "snappy"]) {
    assert.equal(codeOf(await ask(engine, { headers: { "content-encoding": encoding }, body: noise })), "48");
  }
});

/** A multipart body as Python's urllib3 writes one. */
function form(fields: Readonly<Record<string, string>>): { headers: Record<string, string>; body: Buffer } {
  const parts = Object.entries(fields).map(
    ([name, value]) => `--edge\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
  );
  return {
    headers: { "content-type": "multipart/form-data; boundary=edge" },
    body: Buffer.from(`${parts.join("")}--edge--\r\n`),
  };
}

test("the fields of a form are the statement, its parameters and settings", async () => {
  const query = "SELECT {s:String}, {l:Array(String)}, getSetting('max_block_size')";
  const fields = { param_s: "é'\\n", param_l: "['a','b']", max_block_size: "77" };
  const values = "é\\'\\n\t['a','b']\t77\n";
  assert.equal((await ask(engine, form({ query, ...fields }))).text, values);
  assert.equal((await ask(engine, { ...form(fields), search: { query } })).text, values);
  assert.equal((await ask(engine, { ...form({ query, ...fields }), asOwner: false })).text, values);
});

test("a form grants nothing that the URL would not", async () => {
  const secret = await ask(engine, { ...form({ query: "SELECT file('/etc/passwd')" }) });
  assert.equal(codeOf(secret), "497");
  assert.equal(codeOf(await ask(engine, form({ query: "SELECT 1", additional_result_filter: "1" }))), "452");
  const write = form({ query: "CREATE TABLE made (a UInt8) ENGINE = Memory" });
  assert.equal(codeOf(await ask(engine, { ...write, asOwner: false })), "164");
});

test("external data, a broken form and one without end are refused", async () => {
  const file = Buffer.from(
    '--edge\r\nContent-Disposition: form-data; name="ext"; filename="e"\r\n\r\n1\n\r\n--edge--\r\n',
  );
  const headers = { "content-type": "multipart/form-data; boundary=edge" };
  const search = { query: "SELECT * FROM ext", ext_structure: "a UInt8" };
  const external = await ask(engine, { headers, body: file, search: { query: search.query } });
  assert.equal(codeOf(external), "48");
  assert.match(external.text, /External data is not supported \(table ext\)/);
  assert.equal(codeOf(await ask(engine, { headers, body: "nonsense" })), "36");
  assert.equal(codeOf(await ask(engine, form({ query: `SELECT 1 ${" ".repeat(2 << 20)}` }))), "36");
});

test("a body that curl calls urlencoded is a statement as it stands", async () => {
  const headers = { "content-type": "application/x-www-form-urlencoded" };
  assert.equal((await ask(engine, { headers, body: "SELECT 'a=b&c%20d+e'" })).text, "a=b&c%20d+e\n");
});

test("after a refused body the connection serves the next request", async () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const post = (body: Buffer, headers: Record<string, string>): Promise<{ status: number; port: number }> =>
    new Promise((resolve, reject) => {
      const out = httpRequest(engine.url, { method: "POST", agent, headers }, (answer) => {
        const port = out.socket!.localPort!;
        answer.resume().on("end", () => resolve({ status: answer.statusCode!, port }));
      });
      out.on("error", reject);
      out.end(body);
    });
  const noise = Buffer.alloc(8 << 20, "x");
  const first = await post(noise, { "content-encoding": "gzip" });
  const second = await post(Buffer.from("SELECT 1"), {});
  agent.destroy();
  assert.deepEqual([first.status, second.status, second.port], [500, 200, first.port]);
});
