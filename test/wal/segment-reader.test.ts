import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { type Disk, nodeDisk } from "../../src/wal/disk.js";
import { segmentName } from "../../src/wal/format.js";
import { Log } from "../../src/wal/log.js";
import { SegmentFile } from "../../src/wal/segment-file.js";
import { scanSegment } from "../../src/wal/segment-reader.js";
import { temporaryFolder } from "../support/folder.js";
import { rows } from "./sample.js";

test("a segment that is read while it is written to has no hole where a record came after its page was read", async (t) => {
  const dir = join(await temporaryFolder(t), "wal");
  const { log } = Log.open({ dir, segmentBytes: 64 * 1024, disk: nodeDisk, now: () => 1, reserveBytes: 0 });
  const places = [1, 6, 11].map((seq) => {
    log.append(rows(seq, 5));
    return log.commit().places[0]!.place;
  });
  const { offset, length } = places[1]!;
  let isEarly = true;
  const disk: Disk = {
    ...nodeDisk,
    read(fd, bytes, at, wanted, position) {
      const done = nodeDisk.read(fd, bytes, at, wanted, position);
      if (position > offset || position + done < offset + length) return done;
      if (isEarly) bytes.fill(0, at + offset - position, at + offset - position + length);
      isEarly = false;
      return done;
    },
  };
  const file = new SegmentFile(disk, join(dir, segmentName(1)));
  const scanned = scanSegment(file, log.id);
  file.close();
  assert.deepEqual(
    [scanned.holes, scanned.records.map(({ offset }) => offset)],
    [[], places.map(({ offset }) => offset)],
  );
  log.close();
});
