import assert from "node:assert/strict";
import type { Transform } from "node:stream";
import { after, test } from "node:test";
import * as zlib from "node:zlib";
import { decompressFrameSync } from "lz4-napi";
import { request } from "undici";
import { encodeContent } from "../../src/engine/content-encoding.js";
import { startTestEngine } from "../support/engine.js";
import { until } from "../support/until.js";

const { engine, clickhouse } = await startTestEngine({ after });

type Unpack = (bytes: Buffer) => Buffer;

const UNPACK: Readonly<Record<string, Unpack>> = {
  gzip: (bytes) => zlib.gunzipSync(bytes),
  deflate: (bytes) => zlib.inflateSync(bytes),
  br: (bytes) => zlib.brotliDecompressSync(bytes),
  lz4: (bytes) => decompressFrameSync(bytes),
  ...("zstdDecompressSync" in zlib ? { zstd: zlib.zstdDecompressSync as Unpack } : {}),
};

interface Packed {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly bytes: Buffer;
}

async function get(accept: string, search: Readonly<Record<string, string>>): Promise<Packed> {
  const { statusCode, headers, body } = await request(`${engine.url}/?${new URLSearchParams(search)}`, {
    headers: { "accept-encoding": accept },
  });
  return { status: statusCode, headers, bytes: Buffer.from(await body.arrayBuffer()) };
}

test("a result comes in the encoding that is asked for, streamed or waited for", async () => {
  const query = "SELECT number, toString(number) FROM numbers(400000) FORMAT CSV";
  const plain = await clickhouse.text(query);
  for (const [encoding, unpack] of Object.entries(UNPACK)) {
    for (const wait_end_of_query of ["0", "1"]) {
      const { status, headers, bytes } = await get(encoding, { query, wait_end_of_query });
      assert.equal(status, 200);
      assert.equal(headers["content-encoding"], encoding);
      assert.equal(headers["vary"], "Accept-Encoding");
      assert.equal(headers["content-length"], undefined);
      assert.ok(bytes.length < plain.length / 1.5, `${encoding}: ${bytes.length} of ${plain.length}`);
      assert.ok(unpack(bytes).toString() === plain, encoding);
    }
  }
});

test("small and empty results are whole in every encoding", async () => {
  for (const [encoding, unpack] of Object.entries(UNPACK)) {
    for (const [query, text] of [
      ["SELECT 1", "1\n"],
      ["SELECT 1 WHERE 0", ""],
      ["EXISTS TABLE system.one", "1\n"],
    ] as const) {
      const { headers, bytes } = await get(encoding, { query });
      assert.equal(headers["content-encoding"], encoding);
      assert.equal(unpack(bytes).toString(), text);
    }
  }
});

test("bytes that do not shrink arrive", async () => {
  const query = "SELECT randomString(2000000) AS s FORMAT RowBinary";
  for (const [encoding, unpack] of Object.entries(UNPACK)) {
    const { bytes } = await get(encoding, { query });
    assert.equal(unpack(bytes).length, 2_000_000 + 3, encoding);
  }
});

test("the server's preference decides among what the client takes", async () => {
  const best = "zstd" in UNPACK ? "zstd" : "br";
  for (const [accept, expected] of [
    ["gzip, deflate, br, zstd", best],
    ["gzip;q=1.0, br;q=0.1", "br"],
    ["gzip, br;q=0", "gzip"],
    ["deflate, gzip", "gzip"],
    ["GZIP", "gzip"],
    ["lz4,gzip", "lz4"],
    ["identity", undefined],
    ["snappy, xz", undefined],
    ["", undefined],
  ] as const) {
    assert.equal((await get(accept, { query: "SELECT 1" })).headers["content-encoding"], expected, accept);
  }
});

test("enable_http_compression=0 switches it off", async () => {
  const { headers, bytes } = await get("gzip", { query: "SELECT 1", enable_http_compression: "0" });
  assert.equal(headers["content-encoding"], undefined);
  assert.equal(bytes.toString(), "1\n");
});

test("HEAD tells the encoding that GET would use", async () => {
  const search = new URLSearchParams({ query: "SELECT number FROM numbers(1000000)" });
  const { statusCode, headers, body } = await request(`${engine.url}/?${search}`, {
    method: "HEAD",
    headers: { "accept-encoding": "gzip" },
  });
  assert.equal(statusCode, 200);
  assert.equal(headers["content-encoding"], "gzip");
  assert.equal(await body.text(), "");
});

test("http_zlib_compression_level is how hard it tries", async () => {
  const query = "SELECT toString(number) FROM numbers(100000)";
  const size = async (level: string): Promise<number> =>
    (await get("gzip", { query, http_zlib_compression_level: level })).bytes.length;
  assert.ok((await size("9")) < (await size("1")));
});

test("an exception before the first byte is plain text with its status", async () => {
  const { status, headers, bytes } = await get("gzip", { query: "SELECT throwIf(1)" });
  assert.equal(status, 500);
  assert.equal(headers["content-encoding"], undefined);
  assert.match(bytes.toString(), /^Code: 395/);
});

test("an exception in mid-stream is in the packed body, which ends well", async () => {
  const query = "SELECT number, throwIf(number = 3000000) FROM numbers(5000000)";
  for (const [encoding, unpack] of Object.entries(UNPACK)) {
    const { status, headers, bytes } = await get(encoding, { query });
    const text = unpack(bytes).toString();
    assert.equal(status, 200);
    assert.ok(
      text.includes(`__exception__\r\n${headers["x-clickhouse-exception-tag"]}\r\nCode: 395`),
      encoding,
    );
    assert.ok(text.endsWith("\r\n__exception__\r\n"), encoding);
  }
});

test("a piece is there for the client before the next one exists", async () => {
  const streams: Readonly<Record<string, () => Transform>> = {
    gzip: zlib.createGunzip,
    deflate: zlib.createInflate,
    br: zlib.createBrotliDecompress,
  };
  for (const [encoding, create] of Object.entries(streams)) {
    let release: () => void = () => assert.fail();
    const pieces = async function* (): AsyncGenerator<Buffer> {
      yield Buffer.from("first");
      await new Promise<void>((resolve) => {
        release = resolve;
      });
      yield Buffer.from("second");
    };
    const unpacked = encodeContent(pieces(), encoding as "gzip", 3).pipe(create());
    const seen: string[] = [];
    for await (const chunk of unpacked) {
      seen.push(String(chunk));
      release();
    }
    assert.deepEqual(seen, ["first", "second"], encoding);
  }
});

test("a client that goes away ends a packed query", async () => {
  for (const accept of ["gzip", "lz4"]) {
    const query = "SELECT number FROM numbers(100000000000)";
    const { body } = await request(`${engine.url}/?${new URLSearchParams({ query })}`, {
      headers: { "accept-encoding": accept },
    });
    body.on("error", () => {}).destroy();
    const running =
      "SELECT count() FROM system.processes WHERE query LIKE '%numbers(100000000000)%' AND query NOT LIKE '%processes%'";
    await until(`the end with ${accept}`, async () => (await clickhouse.text(running)) === "0\n");
  }
});
