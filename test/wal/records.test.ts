import assert from "node:assert/strict";
import { test } from "node:test";
import { sealChecksum } from "../../src/wal/records.js";

test("a seal's checksum is of first seq and count of its frames, in their order", () => {
  // Computed with Python: zlib.crc32(struct.pack("<4Q", 1, 1000, 1001, 500)).
  const frames = [
    { firstSeq: 1, count: 1000 },
    { firstSeq: 1001, count: 500 },
  ];
  assert.equal(sealChecksum(frames), 2909254129);
  assert.notEqual(sealChecksum(frames.toReversed()), 2909254129);
  assert.equal(sealChecksum([]), 0);
});
