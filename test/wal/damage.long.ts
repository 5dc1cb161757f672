import { test } from "node:test";
import { flipBit, SEGMENT, smallLog } from "./small-log.js";

for (const closed of [false, true]) {
  test(`each flipped bit costs at most the record it hit, in a segment ${closed ? "that was closed" : "left by a kill"}`, () => {
    const disk = smallLog(closed);
    for (let at = 0; at < disk.bytes(SEGMENT).length; at++) {
      for (let bit = 0; bit < 8; bit++) flipBit(disk, at, bit);
    }
  });
}
