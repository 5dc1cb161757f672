import { join } from "node:path";
import type { Disk } from "../../src/wal/disk.js";
import { segmentName } from "../../src/wal/format.js";
import type { Log } from "../../src/wal/log.js";
import {
  type GroupEndRecord,
  type LogRecord,
  type RowsRecord,
  type SealRecord,
  sealChecksum,
} from "../../src/wal/records.js";
import type { Recovered } from "../../src/wal/recovered.js";
import { readIndex, readRecord } from "../../src/wal/segment-reader.js";
import { SeqSet } from "../../src/wal/seq-set.js";

/** A frame whose payload only its seqs determine. */
export function rows(firstSeq: number, count: number, more: Partial<RowsRecord> = {}): RowsRecord {
  const text = `${more.table ?? "trades"} ${firstSeq} `;
  return {
    kind: "rows",
    table: "trades",
    partition: "2026-11-22",
    run: 7n,
    firstSeq,
    count,
    positions: [],
    group: 0n,
    payload: Buffer.from(text.repeat(1 + (firstSeq % 5))),
    ...more,
  };
}

export function seal(batch: string, firstSeq: number, count: number): SealRecord {
  const frames = [{ firstSeq, count }];
  const checksum = sealChecksum(frames);
  return {
    kind: "seal",
    table: "trades",
    partition: "2026-11-22",
    run: 7n,
    batch,
    generation: 0,
    frames,
    rows: count,
    checksum,
  };
}

export function groupEnd(group: bigint, key = `key-${group}`): GroupEndRecord {
  return {
    kind: "group_end",
    group,
    key,
    bodyHash: "ab",
    status: 200,
    answer: '{"rows":1}',
    at: 1_795_000_000_000,
  };
}

/** What is in the log, by ordinal, read as the pipeline reads it: index after index, without what does not count. */
export function readAll(disk: Disk, dir: string, recovered: Recovered): Map<number, LogRecord> {
  const found: [number, LogRecord][] = [];
  for (const { segment, dropped } of recovered.segments) {
    const path = join(dir, segmentName(segment));
    const without = new SeqSet(dropped);
    const fd = disk.open(path, "read");
    for (const { ordinal, place } of readIndex(disk, path)) {
      if (!without.has(ordinal)) found.push([ordinal, readRecord(disk, fd, place, recovered.logId)]);
    }
    disk.close(fd);
  }
  return new Map(found.toSorted(([a], [b]) => a - b));
}

/** Appends and commits; the ordinals. */
export function write(log: Log, ...records: readonly LogRecord[]): number[] {
  const ordinals = records.map((record) => log.append(record));
  log.commit();
  return ordinals;
}
