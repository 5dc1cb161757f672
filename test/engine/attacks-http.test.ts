import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { after, test } from "node:test";
import { gzipSync } from "node:zlib";
import { sameSecret } from "../../src/base/secret.js";
import { MIB } from "../../src/base/units.js";
import { DEFAULT_LIMITS } from "../../src/engine/limits.js";
import { type Answer, ask, startTestEngine } from "../support/engine.js";
import { until } from "../support/until.js";

/** Each test is one way to get in, or to starve the others, by HTTP itself. */

const QUERY_MEMORY = 128 * MIB;
const { engine, clickhouse } = await startTestEngine(
  { after },
  { limits: { ...DEFAULT_LIMITS, queryMemory: QUERY_MEMORY }, timeouts: { headersMs: 800, stallMs: 800 } },
);
await clickhouse.command("CREATE TABLE kept (s String) ENGINE = MergeTree ORDER BY tuple()");
const { host, port } = new URL(engine.url);
const key = `X-ClickHouse-Key: ${engine.password}`;

function codeOf(answer: Answer): string | undefined {
  return answer.headers["x-clickhouse-exception-code"];
}

function open(text: string): Socket {
  const socket = connect(Number(port), "127.0.0.1");
  socket.on("error", () => {});
  socket.write(text);
  return socket;
}

/** Everything that comes back until the engine closes the connection. */
async function raw(text: string): Promise<string> {
  const socket = open(text);
  let answer = "";
  socket.setEncoding("latin1").on("data", (chunk: string) => {
    answer += chunk;
  });
  await new Promise((resolve) => socket.once("close", resolve));
  return answer;
}

/** Bytes of memory of the engine's process. */
function memory(): number {
  const status = readFileSync(`/proc/${engine.pid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+)/.exec(status)![1]) * 1024;
}

/** As the recorder does it: over connections of the owner alone. */
async function insertOne(): Promise<void> {
  await clickhouse.command("INSERT INTO kept VALUES ('x')");
}

test("a form on another site's page changes and reads nothing, even with the secret", async () => {
  const types = ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"];
  for (const type of types) {
    for (const from of [
      { origin: "https://evil.example" },
      { origin: "null" },
      { origin: `http://127.0.0.1:${Number(port) + 1}` },
      { "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors" },
      { "sec-fetch-site": "same-site" },
    ]) {
      for (const asOwner of [true, false]) {
        const headers = { "content-type": type, ...from } as Record<string, string>;
        const answer = await ask(engine, { body: "DROP TABLE kept", headers, asOwner });
        assert.equal(answer.status, 403, JSON.stringify(headers));
      }
    }
    // A browser too old to say where it comes from has no secret.
    const old = await ask(engine, {
      body: "DROP TABLE kept",
      headers: { "content-type": type },
      asOwner: false,
    });
    assert.ok(old.status >= 400, old.text);
  }
  assert.equal(await clickhouse.text("EXISTS kept"), "1\n");
});

test("a name that points at loopback is no address of the engine, even with the secret", async () => {
  for (const name of [
    "evil.example",
    `evil.example:${port}`,
    `127.0.0.1.evil.example:${port}`,
    "0.0.0.0",
    "",
  ]) {
    const answer = await raw(
      `GET /?query=SELECT+1 HTTP/1.1\r\nHost: ${name}\r\n${key}\r\nConnection: close\r\n\r\n`,
    );
    assert.match(answer, /^HTTP\/1\.1 403 /, name);
  }
  assert.match(await raw(`GET /?query=SELECT+1 HTTP/1.0\r\n${key}\r\n\r\n`), /^HTTP\/1\.1 403 /);
});

test("a request in another one's body is not taken for a request", async () => {
  const inner = `POST /?query=DROP+TABLE+kept HTTP/1.1\r\nHost: ${host}\r\n${key}\r\nContent-Length: 0\r\n\r\n`;
  const head = `POST / HTTP/1.1\r\nHost: ${host}\r\n`;
  for (const text of [
    `${head}Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${inner}`,
    `${head}Transfer-Encoding: chunked\r\nContent-Length: 6\r\n\r\n0\r\n\r\n${inner}`,
    `${head}Content-Length: 5\r\nContent-Length: 0\r\n\r\n${inner}`,
    `${head}Content-Length: 0, 5\r\n\r\n${inner}`,
    `${head}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n${inner}`,
    `${head}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n${inner}`,
    `${head}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n${inner}`,
    `${head}Transfer-Encoding: chunked\r\n\r\n0x0\r\n\r\n${inner}`,
    `${head}X: a\r\n\tTransfer-Encoding: chunked\r\nContent-Length: +0\r\n\r\n${inner}`,
  ]) {
    const answer = await raw(text);
    assert.match(answer, /^HTTP\/1\.1 400 /, text);
    assert.equal(answer.match(/HTTP\/1\.1 /g)?.length, 1, text);
  }
  assert.equal(await clickhouse.text("EXISTS kept"), "1\n");
});

test("too many or too long headers and URLs are refused, and cost no memory", async () => {
  const before = memory();
  const head = `GET /?query=SELECT+1 HTTP/1.1\r\nHost: ${host}\r\n`;
  const many = (count: number): string =>
    Array.from({ length: count }, (_, index) => `x${index}: 1\r\n`).join("");
  for (const text of [
    `${head}${many(100)}\r\n`,
    `${head}${many(100_000)}\r\n`,
    `${head}X: ${"x".repeat(70_000)}\r\n\r\n`,
    `${head}X: ${"x".repeat(2 * MIB)}\r\n\r\n`,
    `GET /?query=${"x".repeat(2 * MIB)} HTTP/1.1\r\nHost: ${host}\r\n\r\n`,
  ]) {
    assert.match(await raw(text), /^HTTP\/1\.1 431 |^$/, text.slice(0, 100));
  }
  assert.match(await raw(`${head}${many(50)}Connection: close\r\n\r\n`), /^HTTP\/1\.1 200 /);
  assert.ok(memory() - before < 64 * MIB, "memory grew");
});

test("a query id cannot be endless or make headers of its own", async () => {
  const long = await ask(engine, { body: "SELECT 1", search: { query_id: "x".repeat(1001) } });
  assert.deepEqual([long.status, codeOf(long)], [400, "36"]);
  const split = await ask(engine, { body: "SELECT 1", search: { query_id: "a\r\nX-Evil: 1" } });
  assert.equal(split.headers["x-evil"], undefined);
  assert.equal(split.headers["x-clickhouse-query-id"], "a%0D%0AX-Evil: 1");
});

test("heads that never end are cut, and keep no owner out", async () => {
  const slow = Array.from({ length: 400 }, () => open(`GET / HTTP/1.1\r\nHost: ${host}\r\nX-Slow: `));
  const closed = slow.map((socket) => new Promise((resolve) => socket.resume().once("close", resolve)));
  await Promise.all(slow.map((socket) => once(socket, "connect")));
  for (let round = 0; round < 20; round++) await insertOne();
  await Promise.all(closed);
});

test("bodies that never end are cut, and keep no owner out", async () => {
  const slow = Array.from({ length: 250 }, () => {
    return open(`POST / HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 1000\r\n\r\nSELECT`);
  });
  const closed = slow.map((socket) => new Promise((resolve) => socket.resume().once("close", resolve)));
  await Promise.all(slow.map((socket) => once(socket, "connect")));
  for (let round = 0; round < 20; round++) await insertOne();
  await Promise.all(closed);
});

/** 128 members of 32 MiB of one character each. */
function gzipBomb(character: string): Buffer {
  const member = gzipSync(Buffer.alloc(32 * MIB, character));
  return Buffer.concat(Array.from({ length: 128 }, () => member));
}

/** A zstd frame of `blocks` × 128 KiB of one byte, four bytes each: a window of 128 KiB or, as asked, of 2 GiB. */
function zstdBomb(blocks: number, windowByte: number): Buffer {
  const head = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, windowByte]);
  const size = (128 * 1024) << 3;
  const block = (last: number): Buffer => {
    const bits = size | (1 << 1) | last;
    return Buffer.from([bits & 255, (bits >> 8) & 255, (bits >> 16) & 255, 0x78]);
  };
  return Buffer.concat([head, ...Array.from({ length: blocks - 1 }, () => block(0)), block(1)]);
}

/** An lz4 frame of `blocks` × 4 MiB of one byte. */
function lz4Bomb(blocks: number): Buffer {
  const head = Buffer.from([0x04, 0x22, 0x4d, 0x18, 0x60, 0x70, 0x73]);
  const matched = 4 * MIB - 1 - 5;
  const extra = matched - 4 - 15;
  const lengths = Buffer.concat([Buffer.alloc(Math.floor(extra / 255), 255), Buffer.from([extra % 255])]);
  // One literal, a match of the rest at distance 1, five literals at the end.
  const data = Buffer.concat([
    Buffer.from([0x1f, 0x78, 1, 0]),
    lengths,
    Buffer.from([0x50]),
    Buffer.alloc(5, 0x78),
  ]);
  const size = Buffer.alloc(4);
  size.writeUInt32LE(data.length);
  return Buffer.concat([
    head,
    ...Array.from({ length: blocks }, () => Buffer.concat([size, data])),
    Buffer.alloc(4),
  ]);
}

test("a small packed body that unpacks to four gigabytes is stopped at the statement's memory", async () => {
  const bombs: Record<string, Buffer> = {
    gzip: gzipBomb("x"),
    zstd: zstdBomb(32_768, 0x38),
    lz4: lz4Bomb(1024),
  };
  for (const [encoding, body] of Object.entries(bombs)) {
    const before = memory();
    let peak = before;
    const watch = setInterval(() => {
      peak = Math.max(peak, memory());
    }, 5);
    const search = { query: "INSERT INTO kept FORMAT LineAsString" };
    const answer = await ask(engine, { search, body, headers: { "content-encoding": encoding } });
    clearInterval(watch);
    assert.equal(codeOf(answer), "241", `${encoding}: ${answer.status} ${answer.text.slice(0, 300)}`);
    const grown = Math.round((peak - before) / MIB);
    // Of 4 GiB: buffers that double and what the allocator keeps come on top of the limit.
    assert.ok(grown < 1024, `${encoding}: ${grown} MiB more`);
  }
});

test("a zstd frame that wants a window of two gigabytes is refused", async () => {
  const before = memory();
  const answer = await ask(engine, {
    search: { query: "INSERT INTO kept FORMAT LineAsString" },
    body: zstdBomb(1, 0xa8),
    headers: { "content-encoding": "zstd" },
  });
  assert.ok(answer.status >= 400, answer.text);
  assert.ok(memory() - before < 256 * MIB);
});

test("a packed statement that unpacks to four gigabytes is refused at its first mebibyte", async () => {
  const before = memory();
  const body = gzipBomb(" ");
  const answer = await ask(engine, { body, headers: { "content-encoding": "gzip" }, asOwner: false });
  assert.equal(codeOf(answer), "62", answer.text);
  assert.ok(memory() - before < 64 * MIB);
});

test("guesses of the secret are all refused alike, and compared in constant time", async () => {
  const { password } = engine;
  const guesses = [
    password.slice(0, -1),
    `${password}x`,
    `${password.slice(0, -1)}${password.endsWith("A") ? "B" : "A"}`,
    password.toLowerCase() === password ? password.toUpperCase() : password.toLowerCase(),
    "x",
    "x".repeat(10_000),
    " ",
    "undefined",
    "null",
  ];
  const texts = new Set<string>();
  for (const guess of guesses) {
    const answer = await ask(engine, { body: "SELECT 1", search: { password: guess }, asOwner: false });
    assert.deepEqual([answer.status, codeOf(answer)], [403, "516"], guess);
    texts.add(answer.text);
    assert.equal(sameSecret(guess, password), false);
  }
  assert.equal(texts.size, 1);
  assert.match(sameSecret.toString(), /timingSafeEqual/);
});

test("without the password nobody's statement can be killed", async () => {
  const sql = "SELECT sleepEachRow(0.2) FROM numbers(100) SETTINGS max_block_size = 1 FORMAT Null";
  const running = ask(engine, { body: sql, search: { query_id: "mine" } });
  const count =
    "SELECT count() FROM system.processes WHERE Settings['log_comment'] = 'mine' AND NOT is_cancelled";
  await until("the start", async () => (await clickhouse.text(count)) === "1\n");
  for (const body of [
    "KILL QUERY WHERE 1",
    "KILL QUERY WHERE query_id = 'mine' ASYNC",
    "KILL QUERY WHERE 1 TEST",
  ]) {
    assert.equal(codeOf(await ask(engine, { body, asOwner: false })), "164");
  }
  assert.equal(await clickhouse.text(count), "1\n");
  await ask(engine, { body: "KILL QUERY WHERE query_id = 'mine' SYNC" });
  assert.equal(codeOf(await running), "394");
});

test("no text of a statement or exception keeps the engine from the others for long", async () => {
  const bytes = MIB - 100;
  const texts = [
    `INSERT INTO t ${"(".repeat(bytes)}`,
    `INSERT INTO a${".format".repeat(bytes / 7)} SELECT 1`,
    `SELECT ${Array.from({ length: bytes / 9 }, (_, index) => `$${index}`).join(" ")}`,
    `SELECT ${"/*".repeat(bytes / 2)}`,
    `SELECT throwIf(1, repeat(' ', ${bytes}))`,
    `SELECT throwIf(1, repeat(' (AB)', ${bytes}) || 'x')`,
    `SELECT throwIf(1, repeat(': (in file/uri ', ${bytes}))`,
    `SELECT throwIf(1, repeat('FROM INFILE \\'', ${bytes}))`,
  ];
  for (const body of texts) {
    for (const asOwner of [false, true]) {
      const start = performance.now();
      const answer = await ask(engine, { body, asOwner });
      assert.notEqual(answer.status, 200);
      assert.ok(answer.text.length < 20_000, "an exception is bounded");
      const seconds = (performance.now() - start) / 1000;
      assert.ok(seconds < 30, `${body.slice(0, 40)}: ${seconds} s`);
    }
  }
  for (const question of [
    { body: texts[4]!.padEnd(MIB / 2) },
    { search: { query: "SELECT 1".padEnd(MIB / 2) } },
  ]) {
    const answer = await ask(engine, { ...question, asOwner: false });
    assert.match(answer.text, /the statement is longer than 262144 bytes \(without the password\)/);
  }
});

test("a time zone cannot make headers of its own", async () => {
  for (const zone of ["UTC\r\nX-Evil: 1", "Zürich€"]) {
    const answer = await ask(engine, {
      body: "SELECT 1",
      search: { session_timezone: zone },
      asOwner: false,
    });
    assert.equal(codeOf(answer), "36", answer.text);
    assert.equal(answer.headers["x-evil"], undefined);
  }
});
