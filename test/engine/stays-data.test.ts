import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, test } from "node:test";
import { ask, startTestEngine } from "../support/engine.js";

/**
 * In the engine's own inline INSERT a blank line ends the data and what follows runs as SQL. Here bodies say what they
 * like: it stays data, or is refused, and the table `victim` is there afterwards.
 */

const { engine, clickhouse } = await startTestEngine({ after });
await clickhouse.command("CREATE TABLE victim (s String) ENGINE = MergeTree ORDER BY tuple()");

const ATTACK = "\n\nDROP TABLE victim;\n\nDROP TABLE IF EXISTS default.victim\n\n";
const attack = Buffer.from(ATTACK);

async function emptied(): Promise<void> {
  await clickhouse.command("TRUNCATE TABLE victim");
}

/** Sends data as a body of its own, and behind its statement. */
async function insertBothWays(format: string, data: Buffer): Promise<readonly number[]> {
  const sql = `INSERT INTO victim FORMAT ${format}`;
  const separate = await ask(engine, { search: { query: sql }, body: data });
  const inline = await ask(engine, { body: Buffer.concat([Buffer.from(`${sql}\n`), data]) });
  return [separate.status, inline.status];
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>>= 7) {
    if (rest < 128) return Buffer.from([...bytes, rest]);
    bytes.push((rest & 127) | 128);
  }
}

function rowBinary(text: Buffer): Buffer {
  return Buffer.concat([varint(text.length), text]);
}

/** A block of one column and one row. */
function native(text: Buffer): Buffer {
  const head = [Buffer.from([1, 1]), rowBinary(Buffer.from("s")), rowBinary(Buffer.from("String"))];
  return Buffer.concat([...head, rowBinary(text)]);
}

const wholeBodies = {
  CSV: Buffer.from(`"${ATTACK}"\n`),
  JSONEachRow: Buffer.from(`${JSON.stringify({ s: ATTACK })}\n\n\n`),
  RowBinary: rowBinary(attack),
  Native: native(attack),
  Values: Buffer.from(`('${ATTACK}')`),
  RawBLOB: attack,
};

for (const [format, body] of Object.entries(wholeBodies)) {
  test(`a blank line followed by DROP TABLE in ${format} stays data`, async () => {
    await emptied();
    assert.deepEqual(await insertBothWays(format, body), [200, 200]);
    const stored = await clickhouse.text("SELECT count(), uniqExact(s), hex(any(s)) FROM victim");
    assert.equal(stored, `2\t1\t${attack.toString("hex").toUpperCase()}\n`);
  });
}

test("blank lines followed by DROP TABLE in TSV are rows", async () => {
  await emptied();
  assert.deepEqual(await insertBothWays("TSV", attack), [200, 200]);
  const stored = await clickhouse.text(
    "SELECT count(), countIf(s = ''), countIf(s LIKE 'DROP%') FROM victim",
  );
  assert.equal(stored, "12\t8\t4\n");
});

test("blank lines between JSON rows end nothing", async () => {
  await emptied();
  const body = Buffer.from('{"s":"a"}\n\n\n{"s":"b"}\n\n{"s":"c"}');
  assert.deepEqual(await insertBothWays("JSONEachRow", body), [200, 200]);
  assert.equal(await clickhouse.text("SELECT count() FROM victim"), "6\n");
});

test("a DROP TABLE behind the data is bad data", async () => {
  await emptied();
  const goods = { JSONEachRow: '{"s":"a"}', JSONCompactEachRow: '["a"]', Values: "('a')" };
  for (const [format, good] of Object.entries(goods)) {
    for (const status of await insertBothWays(format, Buffer.from(good + ATTACK)))
      assert.ok(status >= 400, format);
  }
  const values = await ask(engine, { body: `INSERT INTO victim VALUES ('a')${ATTACK}` });
  assert.ok(values.status >= 400);
  // A semicolon ends the Values format for ClickHouse, which ignores the rest.
  await ask(engine, { body: "INSERT INTO victim VALUES ('a');\n\nDROP TABLE victim" });
  assert.equal(await clickhouse.text("EXISTS TABLE victim"), "1\n");
});

test("statements that hide data from the rules are refused", async () => {
  const texts = [
    "EXPLAIN AST INSERT INTO victim FORMAT TSV 1",
    "EXPLAIN SYNTAX INSERT INTO victim VALUES (1)",
    "INSERT INTO victim SELECT 'a' FORMAT TSV",
    "EXPLAIN INSERT INTO victim SELECT * FROM input('s String') FORMAT TSV x",
    "CREATE TABLE other (a UInt8) ENGINE = Null PARALLEL WITH INSERT INTO victim VALUES ('a')",
    "WITH 1 AS x INSERT INTO victim FORMAT TSV x",
    "INSERT INTO victim FROM INFILE '/etc/passwd' FORMAT LineAsString",
    "INSERT INTO victim",
    "INSERT INTO victim FORMAT",
    "INSERT INTO victim (s FORMAT TSV x",
    "SELECT 1 INSERT INTO victim FORMAT TSV x",
  ];
  for (const text of texts) {
    const answer = await ask(engine, { body: text + ATTACK });
    assert.ok(answer.status >= 400, `${text}: ${answer.status}`);
  }
  assert.equal(await clickhouse.text("EXISTS TABLE victim"), "1\n");
});

/** Numbers in [0, 1) that a seed determines (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

test("random binary strings with blank lines and statements come back as they went", async (t) => {
  const seed = Number(process.env["SEED"] ?? Date.now() % 2 ** 31);
  t.diagnostic(`SEED=${seed}`);
  const random = randomFrom(seed);
  await emptied();
  const rows = Array.from({ length: 40 }, () => {
    const noise = Buffer.from(Array.from({ length: 1 + random() * 20_000 }, () => random() * 256));
    for (let at = 0; at + 2 < noise.length; at += 1 + Math.floor(random() * 200)) noise.write("\n\n", at);
    return Buffer.concat([noise, attack, noise.subarray(0, random() * noise.length)]);
  });
  for (const row of rows) {
    assert.deepEqual(await insertBothWays("RowBinary", rowBinary(row)), [200, 200]);
    assert.deepEqual(await insertBothWays("Native", native(row)), [200, 200]);
  }
  const stored = await clickhouse.text(
    "SELECT lower(hex(SHA256(s))) AS h, count() FROM victim GROUP BY h ORDER BY h",
  );
  const expected = rows.map((row) => `${createHash("sha256").update(row).digest("hex")}\t4\n`).sort();
  assert.equal(stored, expected.join(""));
});
