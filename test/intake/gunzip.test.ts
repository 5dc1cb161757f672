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

test("zeros behind a member are padding, wherever a chunk ends, and a further member may follow them", async () => {
  const a = gzipSync("a\n");
  for (const zeros of [1, 10, 100_000]) {
    const padding = Buffer.alloc(zeros);
    for (const size of [1, a.length, a.length + 1, 2 * a.length, 1 << 20]) {
      if (zeros / size > 1000) continue;
      const padded = await decode(Buffer.concat([a, a, padding]), size);
      assert.deepEqual([padded.content.toString(), padded.error], ["a\na\n", undefined]);
      const followed = await decode(Buffer.concat([a, padding, PACKED, padding, a, padding]), 1000 + size);
      assert.equal(followed.error, undefined);
      assert.equal(followed.content.toString(), `a\n${TEXT}a\n`);
    }
  }
});

test("anything but zeros and members behind a member fails, after what came before it", async () => {
  for (const rest of ["garbage", "g", "\0\0garbage", "\x1f", "\0\x1f"]) {
    for (const size of [1, 1000]) {
      const { content, error } = await decode(Buffer.concat([gzipSync("a\n"), Buffer.from(rest)]), size);
      assert.match(error?.message ?? "", /incorrect header check|unexpected end of file/);
      // Bytes inflated in one piece with the damage are lost with it.
      if (size === 1) assert.equal(content.toString(), "a\n");
    }
  }
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
