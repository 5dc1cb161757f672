import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { gunzip } from "../../src/intake/gunzip.js";

async function* inChunks(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let from = 0; from < bytes.length; from += size) yield bytes.subarray(from, from + size);
}

async function decode(
  compressed: Buffer,
  size = 1000,
): Promise<{ content: Buffer; error: Error | undefined }> {
  const content: Buffer[] = [];
  try {
    for await (const bytes of gunzip(inChunks(compressed, size))) content.push(bytes);
  } catch (error) {
    return { content: Buffer.concat(content), error: error as Error };
  }
  return { content: Buffer.concat(content), error: undefined };
}

/** Text that compresses like market data. */
const TEXT: Buffer = Buffer.from(
  Array.from({ length: 20_000 }, (_, i) => `${i * 37},1.${(i * i) % 99_991},${i % 13}\n`).join(""),
);
const PACKED: Buffer = gzipSync(TEXT);

test("chunks of any size give the content back", async () => {
  for (const size of [7, 4096, 1 << 20]) {
    const { content, error } = await decode(PACKED, size);
    assert.equal(error, undefined);
    assert.ok(content.equals(TEXT));
  }
});

test("members one after the other are one content", async () => {
  const { content, error } = await decode(Buffer.concat([gzipSync("a\n"), gzipSync("b\n")]));
  assert.equal(error, undefined);
  assert.equal(content.toString(), "a\nb\n");
});

test("a truncated file gives all that its bytes hold, then fails", async () => {
  for (const kept of [5, 100, 1000, PACKED.length - 1]) {
    const { content, error } = await decode(PACKED.subarray(0, kept));
    assert.match(error?.message ?? "", /unexpected end of file/);
    assert.ok(content.equals(TEXT.subarray(0, content.length)));
    // Deflate makes at least one byte of every eight here; nothing decoded may be kept back.
    assert.ok(content.length >= (kept - 200) * 1.5, `${content.length} bytes of ${kept}`);
  }
  const { content } = await decode(PACKED.subarray(0, PACKED.length - 1));
  assert.equal(content.length, TEXT.length);
});

test("damage fails, after what was decoded well before it", async () => {
  const damaged = Buffer.from(PACKED);
  const place = damaged.length - 2000;
  damaged.fill(0xff, place, place + 64);
  const { content, error } = await decode(damaged);
  assert.ok(error !== undefined);
  const good = content.length - [...content].findLastIndex((byte, i) => byte === TEXT[i]);
  assert.ok(content.length > TEXT.length / 2, `${content.length} bytes, ${good} bad`);
});

test("damage early in a small file still leaves its first rows", async () => {
  const packed = gzipSync(TEXT.subarray(0, 30_000));
  assert.ok(packed.length < 16_000);
  packed.fill(0xff, 6000, 6064);
  const { content, error } = await decode(packed, 65_536);
  assert.ok(error !== undefined);
  assert.ok(content.subarray(0, 5000).equals(TEXT.subarray(0, 5000)));
});

test("what a damaged piece gave before its damage is kept, but for its last output", async () => {
  const content = Buffer.alloc(20_000_000, "1.39147,1.39148\n");
  // The damage lies in a piece that becomes megabytes: right behind the end of a member.
  const { content: decoded, error } = await decode(
    Buffer.concat([gzipSync(content), Buffer.from("no member")]),
    65_536,
  );
  assert.match(error?.message ?? "", /incorrect header check/);
  assert.ok(decoded.length >= content.length - 65_536, `${decoded.length} of ${content.length} bytes`);
});
