import assert from "node:assert/strict";
import { after, test } from "node:test";
import { request } from "undici";
import { inRevision } from "../../src/engine/native-revision.js";
import { startTestEngine } from "../support/engine.js";

const { engine } = await startTestEngine({ after });

const BLOCK_INFO = Buffer.from([1, 0, 2, 0xff, 0xff, 0xff, 0xff, 0]);
const ROWS = 20;
/** Values of every kind of type, from a row's number. */
const VALUES: readonly string[] = [
  "number",
  "toString(number)",
  "repeat('x', number * 40)",
  "toFixedString(toString(number), 5)",
  "toInt256(number)",
  "number % 2 = 0",
  "toDecimal32(number, 2)",
  "toDecimal256(number, 2)",
  "toDate(number)",
  "toDateTime64(number, 9, 'UTC')",
  "toDateTime(number)",
  "CAST(number % 2, 'Enum8(\\'no\\' = 0, \\'yes, (so)\\' = 1)')",
  "toUUID(concat('00000000-0000-0000-0000-0000000000', leftPad(toString(number), 2, '0')))",
  "toIPv4('10.0.0.1')",
  "toIPv6('::1')",
  "NULL",
  "if(number % 3 = 0, NULL, concat('n', toString(number)))",
  "range(number % 4)",
  "arrayMap(x -> range(x), range(number % 4))",
  "arrayMap(x -> if(x = 1, NULL, toString(x)), range(number % 4))",
  "map('a', number, 'b', 2)",
  "CAST(map(toString(number % 3), [toString(number)]), 'Map(LowCardinality(String), Array(LowCardinality(String)))')",
  "CAST((number, toString(number)), 'Tuple(`a b` LowCardinality(UInt64), c LowCardinality(Nullable(String)))')",
  "CAST(toString(number % 7), 'LowCardinality(String)')",
  "CAST(if(number % 3 = 0, NULL, concat('n', toString(number))), 'LowCardinality(Nullable(String))')",
  "CAST([], 'Array(LowCardinality(String))')",
  "CAST([(number, 'x')], 'Nested(a UInt64, b String)')",
  "CAST((1, 2), 'Point')",
  "CAST([[(1, 2)]], 'Polygon')",
  "toIntervalDay(number)",
  "CAST(number, 'SimpleAggregateFunction(sum, UInt64)')",
  "tuple()",
];

async function native(sql: string, search: Readonly<Record<string, string>> = {}): Promise<Buffer> {
  const allowed = { allow_suspicious_low_cardinality_types: "1" };
  const parameters = new URLSearchParams({ default_format: "Native", ...allowed, ...search });
  const { statusCode, body } = await request(`${engine.url}/?${parameters}`, { method: "POST", body: sql });
  const bytes = Buffer.from(await body.arrayBuffer());
  assert.equal(statusCode, 200, `${sql}: ${bytes}`);
  return bytes;
}

/** A column without a revision: name and type, then values. Names, types and counts here need one byte for their length. */
async function columnOf(value: string, name: string, from: number): Promise<readonly [Buffer, Buffer]> {
  const block = await native(`SELECT ${value} AS ${name} FROM numbers(${from}, ${ROWS})`);
  const typeAt = 2 + 1 + block[2]!;
  const valuesAt = typeAt + 1 + block[typeAt]!;
  assert.ok(block[0] === 1 && block[1] === ROWS && block[typeAt]! < 0x80);
  return [block.subarray(2, valuesAt), block.subarray(valuesAt)];
}

/** A block as a server sends it, put together from blocks of single columns. */
async function expectedBlock(values: readonly string[], from: number, revision: number): Promise<Buffer> {
  const parts: Buffer[] = [BLOCK_INFO, Buffer.from([values.length, ROWS])];
  for (const [index, value] of values.entries()) {
    const [head, data] = await columnOf(value, `c${index}`, from);
    parts.push(head, Buffer.alloc(revision >= 54454 ? 1 : 0), data);
  }
  return Buffer.concat(parts);
}

function select(values: readonly string[], from: number, rows: number): string {
  const list = values.map((value, index) => `${value} AS c${index}`).join(", ");
  return `SELECT ${list} FROM numbers(${from}, ${rows}) SETTINGS max_block_size = ${ROWS}, max_threads = 1`;
}

test("every type comes in blocks with their info, and from revision 54454 with a byte for each column", async () => {
  for (const revision of [54405, 54454, 54513]) {
    const expected = Buffer.concat([
      await expectedBlock(VALUES, 0, revision),
      await expectedBlock(VALUES, ROWS, revision),
    ]);
    const search = { client_protocol_version: String(revision) };
    for (const more of [{}, { wait_end_of_query: "1" }]) {
      assert.ok(
        (await native(select(VALUES, 0, 2 * ROWS), { ...search, ...more })).equals(expected),
        `${revision}`,
      );
    }
  }
});

test("without a revision, or with 0, a result stays as the engine writes it", async () => {
  const sql = select(VALUES, 0, 2 * ROWS);
  assert.ok((await native(sql, { client_protocol_version: "0" })).equals(await native(sql)));
});

test("a small result that is not streamed has its block info too", async () => {
  const plain = await native("EXISTS TABLE system.one");
  const revised = await native("EXISTS TABLE system.one", { client_protocol_version: "54454" });
  const typeEnd = plain.indexOf("UInt8") + "UInt8".length;
  const byte = Buffer.alloc(1);
  assert.deepEqual(
    revised,
    Buffer.concat([BLOCK_INFO, plain.subarray(0, typeEnd), byte, plain.subarray(typeEnd)]),
  );
});

test("other formats do not change with a revision, an empty result is empty", async () => {
  const search = { client_protocol_version: "54460" };
  assert.equal((await native("SELECT 1, 'a' FORMAT TSV", search)).toString(), "1\ta\n");
  assert.equal((await native("SELECT 1 WHERE 0", search)).length, 0);
});

test("pieces may end anywhere", async () => {
  const whole = await native(select(VALUES, 0, 2 * ROWS));
  const expected = await native(select(VALUES, 0, 2 * ROWS), { client_protocol_version: "54454" });
  const seed = Math.floor(Math.random() * 2 ** 31);
  for (const most of [1, 2, 3, 7, 100, 1000]) {
    let state = seed;
    const pieces = async function* (): AsyncGenerator<Buffer> {
      for (let at = 0; at < whole.length; ) {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
        const end = at + 1 + (state % most);
        yield whole.subarray(at, end);
        at = end;
      }
    };
    const out: Buffer[] = [];
    for await (const piece of inRevision(pieces(), { name: "Native", revision: 54454 })) out.push(piece);
    assert.ok(Buffer.concat(out).equals(expected), `seed ${seed}, pieces of at most ${most}`);
  }
});

test("a type whose end cannot be told is refused with a way out, JSON as text is sent", async () => {
  const search = { client_protocol_version: "54460", default_format: "Native" };
  for (const value of [
    "uniqState(1)",
    "CAST(1, 'Variant(UInt8, String)')",
    "CAST(1, 'Dynamic')",
    "CAST('{}', 'JSON')",
  ]) {
    const parameters = new URLSearchParams({ ...search, query: `SELECT ${value}` });
    const { statusCode, headers, body } = await request(`${engine.url}/?${parameters}`);
    assert.equal(statusCode, 501);
    assert.equal(headers["x-clickhouse-exception-code"], "48");
    assert.match(await body.text(), /Use another format/);
  }
  const json = await native("SELECT CAST('{\"a\":1}', 'JSON') AS j", {
    ...search,
    output_format_native_write_json_as_string: "1",
  });
  assert.ok(json.toString("latin1").endsWith('\x07{"a":1}'));
});
