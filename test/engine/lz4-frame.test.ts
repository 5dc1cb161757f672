import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { inflateSync } from "node:zlib";
import { compressFrameSync } from "lz4-napi";
import { unpackLz4Frames } from "../../src/engine/lz4-frame.js";

/** `b"0123456789" * 15000`, packed by the reference library (`lz4.frame` of Python), for brevity deflated. */
const CONTENT = Buffer.from("0123456789".repeat(15_000));
/** Blocks of 64 KiB, each pointing into the ones before, as `clickhouse-connect` sends them; with the content's size. */
const LINKED = inflateSync(
  Buffer.from(
    "eNpjUfKV8HD44MnEAAKyIowMDOsNDI2MTUzNzC0suRj+j3BwLwAcGFzAcOH/NdID4/+LAGCiMDAMASYVfmqmDaUAcHIDJUEAmr1Vjg==",
    "base64",
  ),
);
/** One block of at most 256 KiB, with checksums of block and content. */
const CHECKED = inflateSync(
  Buffer.from("eNpjUfKVKAn4n8DEwLDewNDI2MTUzNzCkovh/ygYBVQCUgHgRJV6X/UVAxAc+mPSAwDj+1WX", "base64"),
);

async function unpack(packed: Buffer, pieceBytes = packed.length): Promise<Buffer> {
  const pieces = async function* (): AsyncGenerator<Buffer> {
    for (let at = 0; at < packed.length; at += pieceBytes) yield packed.subarray(at, at + pieceBytes);
  };
  const blocks: Buffer[] = [];
  for await (const block of unpackLz4Frames(pieces())) blocks.push(block);
  return Buffer.concat(blocks);
}

test("frames of the reference library unpack, wherever they are cut", async () => {
  for (const frame of [LINKED, CHECKED]) {
    for (const pieceBytes of [1, 3, 7, 1000]) {
      assert.ok((await unpack(frame, pieceBytes)).equals(CONTENT), `pieces of ${pieceBytes}`);
    }
  }
});

test("frames follow one another, and a block may be plain", async () => {
  const noise = randomBytes(300_000);
  const packed = Buffer.concat([compressFrameSync(noise), LINKED, compressFrameSync(Buffer.alloc(0))]);
  assert.ok((await unpack(packed)).equals(Buffer.concat([noise, CONTENT])));
  assert.equal((await unpack(Buffer.alloc(0))).length, 0);
});

test("what is no frame, is cut off or lies about a block is refused", async () => {
  await assert.rejects(unpack(Buffer.from("INSERT INTO t")), /no LZ4 frame/);
  for (const bytes of [3, 10, 17, 100, LINKED.length - 1]) {
    await assert.rejects(unpack(LINKED.subarray(0, bytes)), /cut off/, `${bytes} bytes`);
  }
  const long = Buffer.from(LINKED);
  long.writeUInt32LE(65_537, 15);
  await assert.rejects(unpack(long), /longer than the frame allows/);
  const broken = Buffer.from(LINKED);
  broken.fill(0, 19, 40);
  await assert.rejects(unpack(broken));
});
