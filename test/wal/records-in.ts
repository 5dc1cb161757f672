import { join } from "node:path";
import { nodeDisk } from "../../src/wal/disk.js";
import type { LogRecord } from "../../src/wal/records.js";
import { readIndex, readRecord } from "../../src/wal/segment-reader.js";

/** Every record in the folder's log, copies left out, in order of their ordinals. */
export function recordsOf(dir: string, logId: bigint): LogRecord[] {
  const records = new Map<number, LogRecord>();
  for (const name of nodeDisk
    .list(dir)
    .filter((each) => each.endsWith(".wal"))
    .sort()) {
    const path = join(dir, name);
    const fd = nodeDisk.open(path, "read");
    for (const { ordinal, place } of readIndex(nodeDisk, path))
      if (!records.has(ordinal)) records.set(ordinal, readRecord(nodeDisk, fd, place, logId));
    nodeDisk.close(fd);
  }
  return [...records].sort(([a], [b]) => a - b).map(([, record]) => record);
}

/** Seqs of the frames in the folder's log, in order of their ordinals. */
export function seqsIn(dir: string, logId: bigint): number[] {
  return recordsOf(dir, logId).flatMap((record) => (record.kind === "rows" ? [record.firstSeq] : []));
}
