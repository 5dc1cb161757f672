import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import * as zlib from "node:zlib";
import { compressSync, uncompressSync } from "lz4-napi";
import { request } from "undici";
import { cityHash128 } from "../../src/engine/city-hash.js";
import { ask, startTestEngine } from "../support/engine.js";

const { engine, clickhouse, dataDir } = await startTestEngine({ after });
const MIB = 2 ** 20;

interface Block {
  readonly method?: number;
  /** What the head says of the size of the unpacked data. */
  readonly unpacked: number;
  readonly packed: Buffer;
}

/** A block as `ICompressionCodec` of ClickHouse describes it. */
function block({ method = 0x82, unpacked, packed }: Block): Buffer {
  const rest = Buffer.alloc(9 + packed.length);
  rest[0] = method;
  rest.writeUInt32LE(rest.length, 1);
  rest.writeUInt32LE(unpacked, 5);
  packed.copy(rest, 9);
  return Buffer.concat([cityHash128(rest), rest]);
}

/** LZ4 of the npm package stands behind its length. */
function lz4(text: string): Block {
  return { unpacked: Buffer.byteLength(text), packed: compressSync(text).subarray(4) };
}

function none(text: string): Block {
  return { method: 0x02, unpacked: Buffer.byteLength(text), packed: Buffer.from(text) };
}

/** Unpacks an answer, checking every checksum. */
function unpack(bytes: Buffer): { text: string; sizes: number[] } {
  const sizes: number[] = [];
  const texts: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + 16 + bytes.readUInt32LE(at + 17);
    assert.deepEqual(cityHash128(bytes.subarray(at + 16, end)), bytes.subarray(at, at + 16));
    assert.equal(bytes[at + 16], 0x82);
    sizes.push(bytes.readUInt32LE(at + 21));
    texts.push(uncompressSync(bytes.subarray(at + 21, end)));
    assert.equal(texts.at(-1)!.length, sizes.at(-1));
    at = end;
  }
  return { text: Buffer.concat(texts).toString(), sizes };
}

async function compressed(sql: string, more = ""): Promise<{ status: number; bytes: Buffer }> {
  const { statusCode, body } = await request(`${engine.url}/?compress=1${more}`, {
    method: "POST",
    body: sql,
  });
  return { status: statusCode, bytes: Buffer.from(await body.arrayBuffer()) };
}

let tables = 0;

/** Sends a body with `decompress=1`; tells what came of it. */
async function insert(body: Buffer, format = "TSV"): Promise<{ status: number; code: string; sums: string }> {
  const table = `t${tables++}`;
  await clickhouse.command(`CREATE TABLE ${table} (n UInt64) ENGINE = Memory`);
  const search = { query: `INSERT INTO ${table} FORMAT ${format}`, decompress: "1" };
  const { status, headers } = await ask(engine, { search, body });
  const sums = await clickhouse.text(`SELECT count(), sum(n) FROM ${table}`);
  return { status, code: headers["x-clickhouse-exception-code"] ?? "", sums: sums.trim() };
}

test("with compress=1 a result comes in blocks of at most a mebibyte", async () => {
  const sql = "SELECT number, toString(number) FROM numbers(500000) FORMAT CSV";
  const plain = await clickhouse.text(sql);
  for (const more of ["", "&wait_end_of_query=1"]) {
    const { status, bytes } = await compressed(sql, more);
    const { text, sizes } = unpack(bytes);
    assert.equal(status, 200);
    assert.ok(text === plain);
    assert.ok(sizes.length > 5 && Math.max(...sizes) <= MIB, sizes.join());
  }
  assert.equal((await compressed("SELECT 1 WHERE 0")).bytes.length, 0);
});

test("with compress=1 an exception is in blocks too, at the start and in mid-stream", async () => {
  const early = await compressed("SELECT throwIf(1)");
  assert.equal(early.status, 500);
  assert.match(unpack(early.bytes).text, /^Code: 395\. DB::Exception/);
  const late = await compressed("SELECT number, throwIf(number = 3000000) FROM numbers(5000000)");
  assert.equal(late.status, 200);
  assert.match(
    unpack(late.bytes).text,
    /\r\n__exception__\r\n\w{16}\r\nCode: 395\..*\r\n__exception__\r\n$/su,
  );
});

test("a file of blocks that ClickHouse wrote is a body for decompress=1", async () => {
  await clickhouse.command(
    "CREATE TABLE source (n UInt64) ENGINE = MergeTree ORDER BY n SETTINGS min_bytes_for_wide_part = 0",
  );
  await clickhouse.command("INSERT INTO source SELECT number FROM numbers(300000)");
  const name = readdirSync(dataDir, { recursive: true, encoding: "utf8" }).find((file) =>
    /all_\d.*\/n\.bin$/.test(file),
  );
  const file = readFileSync(join(dataDir, name!));
  assert.deepEqual(await insert(file, "RowBinary"), { status: 200, code: "", sums: "300000\t44999850000" });
});

test("blocks of LZ4 and NONE may follow each other, whatever their size", async () => {
  const large = Array.from({ length: 1_000_000 }, (_, index) => index).join("\n");
  const body = Buffer.concat([block(lz4("1\n2\n")), block(none("3\n")), block(lz4(`${large}\n`))]);
  assert.deepEqual(await insert(body), { status: 200, code: "", sums: "1000003\t499999500006" });
});

test("ZSTD is unpacked where the runtime can, and refused elsewhere", async () => {
  if ("zstdCompressSync" in zlib) {
    const zstd = (zlib as unknown as { zstdCompressSync: (text: string) => Buffer }).zstdCompressSync;
    const body = block({ method: 0x90, unpacked: 4, packed: zstd("1\n2\n") });
    assert.deepEqual(await insert(body), { status: 200, code: "", sums: "2\t3" });
  } else {
    const body = block({ method: 0x90, unpacked: 4, packed: Buffer.from("anything") });
    assert.deepEqual(await insert(body), { status: 500, code: "432", sums: "0\t0" });
  }
});

test("the statement may be in the blocks with its data", async () => {
  await clickhouse.command("CREATE TABLE in_blocks (n UInt64) ENGINE = Memory");
  const body = block(lz4("INSERT INTO in_blocks FORMAT TSV\n7\n"));
  assert.equal((await ask(engine, { search: { decompress: "1" }, body })).status, 200);
  assert.equal(await clickhouse.text("SELECT n FROM in_blocks"), "7\n");
  const select = await ask(engine, {
    search: { decompress: "1" },
    body: block(lz4("SELECT 5")),
    asOwner: false,
  });
  assert.equal(select.text, "5\n");
});

test("a damaged or lying block stores nothing and has a server's code", async () => {
  const good = block(lz4(`${"1\n".repeat(1000)}`));
  const damaged = Buffer.from(good);
  damaged[good.length - 1]! ^= 1;
  const huge = Buffer.from(good);
  huge.writeUInt32LE(0x40000001, 17);
  const packed = lz4("1\n2\n").packed;
  const cases: readonly (readonly [string, Buffer, string])[] = [
    ["a bit is wrong", damaged, "40"],
    ["more than a gibibyte packed", huge, "131"],
    ["more than a gibibyte unpacked", block({ unpacked: 0x40000001, packed: Buffer.alloc(2 ** 23) }), "246"],
    ["more than LZ4 can unpack to", block({ unpacked: 2 ** 30, packed }), "246"],
    ["less than it unpacks to", block({ unpacked: 3, packed }), "271"],
    ["more than it unpacks to", block({ unpacked: 5, packed }), "246"],
    ["NONE with another size", block({ method: 0x02, unpacked: 5, packed: Buffer.from("1\n") }), "246"],
    ["no data", block({ method: 0x02, unpacked: 0, packed: Buffer.alloc(0) }), "246"],
    ["no LZ4", block({ unpacked: 40, packed: Buffer.from([0xff, 0xff, 0xff, 0xff]) }), "271"],
    ["an unknown method", block({ method: 0x55, unpacked: 2, packed: Buffer.from("1\n") }), "432"],
    ["cut off in the head", Buffer.concat([good, good.subarray(0, 20)]), "33"],
    ["cut off in the data", Buffer.concat([good, good.subarray(0, 30)]), "33"],
  ];
  for (const [what, body, code] of cases) {
    const answer = await insert(body);
    assert.deepEqual({ code: answer.code, sums: answer.sums }, { code, sums: "0\t0" }, what);
  }
});

test("a refused body is read to its end, so that its sender gets the answer", async () => {
  const bad = block({ method: 0x55, unpacked: 2, packed: Buffer.from("1\n") });
  assert.equal((await insert(Buffer.concat([bad, Buffer.alloc(64 * MIB)]))).code, "432");
});

test("who may not write may not send a large block either", async () => {
  const body = block(lz4(`SELECT 1 -- ${"x".repeat(MIB)}`));
  const { headers } = await ask(engine, { search: { decompress: "1" }, body, asOwner: false });
  assert.equal(headers["x-clickhouse-exception-code"], "246");
});

test("decompress=1 together with Content-Encoding is refused", async () => {
  const search = { query: "INSERT INTO t0 FORMAT TSV", decompress: "1" };
  const { status } = await ask(engine, {
    search,
    headers: { "content-encoding": "gzip" },
    body: block(none("1\n")),
  });
  assert.equal(status, 501);
});
