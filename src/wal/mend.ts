import type { Disk } from "./disk.js";
import { LogDiskError } from "./disk-error.js";
import { encodeSegmentHeader, KIND, recordBytes, type SegmentHeader } from "./format.js";
import type { GroupRows } from "./group-rows.js";
import { quarantine } from "./quarantine.js";
import type { IndexEntry } from "./records.js";
import type { Damage } from "./recovered.js";
import type { Hole } from "./scan.js";
import { SegmentFile } from "./segment-file.js";
import { decodeSummary, highestOrdinal, type Summary } from "./segment-index.js";
import { aboutOf, type ScannedSegment, scanSegment, withoutRecords } from "./segment-reader.js";
import { writeClosing } from "./segment-writer.js";
import { writeFully } from "./write-fully.js";

/** A segment to look at, and what its neighbours say. */
interface Patient {
  readonly disk: Disk;
  readonly folder: string;
  readonly path: string;
  readonly logId: bigint;
  /** The highest ordinal in the segments before. */
  readonly highest: number;
  readonly isLast: boolean;
  /** The next ordinal when the segment behind this one was made. */
  readonly followedBy: number | undefined;
  /** What the segments before hold of groups. */
  readonly groups: GroupRows;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** What a segment holds, and what became of it. */
export interface Mended {
  /** Undefined if there was nothing in it and it is gone. */
  readonly summary: Summary | undefined;
  readonly closed: boolean;
  readonly bytes: number;
  readonly createdAt: number;
  /** The highest ordinal in it. */
  readonly highest: number;
  readonly damage: readonly Damage[];
  readonly torn: readonly Damage[];
  readonly trouble: LogDiskError | undefined;
}

/** Reads a segment; one without its end is scanned and closed. @throws the system's error if it cannot be read */
export function mend(patient: Patient): Mended {
  const file = new SegmentFile(patient.disk, patient.path);
  try {
    return believe(patient, file) ?? treat(patient, file);
  } finally {
    file.close();
  }
}

/** A closed segment is not read: its summary says what is in it. */
function believe(patient: Patient, file: SegmentFile): Mended | undefined {
  const { header, footer } = file;
  if (header === undefined || footer === undefined) return undefined;
  const payload = file.closingPayload(KIND.summary, footer.summaryOffset, patient.logId);
  if (payload === undefined) return undefined;
  const summary = decodeSummary(payload, file.segment);
  const highest = highestOrdinal(summary);
  const none = { damage: [], torn: [], trouble: undefined };
  return { summary, closed: true, bytes: file.size, createdAt: footer.createdAt, highest, ...none };
}

function treat(patient: Patient, file: SegmentFile): Mended {
  const seen = scanSegment(file, patient.logId);
  const { damage, torn: holes, doubtful } = diagnose(patient, file, seen);
  const ends = doubtful === undefined ? [] : endsOfHalfGroups(patient.groups, seen, doubtful);
  const torn = [...holes, ...ends.map((entry) => halfGroup(file.segment, entry))];
  const scanned = ends.length === 0 ? seen : withoutRecords(seen, ends);
  const summary = scanned.index.summary();
  const header: SegmentHeader = file.header ??
    file.footer ?? {
      segment: file.segment,
      logId: patient.logId,
      createdAt: patient.now,
      nextOrdinal: patient.highest + 1,
    };
  const found = { summary, createdAt: header.createdAt, damage, torn };
  const highest = highestOrdinal(summary);
  try {
    for (const { offset, bytes } of [...damage, ...torn]) {
      quarantine(
        patient.disk,
        patient.folder,
        file.segment,
        offset,
        seen.bytes.subarray(offset, offset + bytes),
      );
    }
    if (scanned.index.records === 0 && file.header === undefined) {
      patient.disk.unlink(patient.path);
      patient.disk.syncFolder(patient.folder);
      return { ...found, summary: undefined, closed: false, bytes: 0, highest, trouble: undefined };
    }
    const bytes = close(patient, file, scanned, header);
    return { ...found, closed: true, bytes, highest, trouble: undefined };
  } catch (error) {
    if (!LogDiskError.isOfDisk(error)) throw error;
    // What was read is whole all the same; the next start finds the segment as it is now and tries again.
    return {
      ...found,
      closed: false,
      bytes: file.size,
      highest,
      trouble: LogDiskError.of(patient.path, error),
    };
  }
}

/** Tells what a crash tore, before anybody was told that it is safe, from what was there and is damaged. */
function diagnose(
  { isLast, highest, followedBy }: Patient,
  file: SegmentFile,
  { records, holes, lastCommit, bytes, index, indexOffset }: ScannedSegment,
): {
  readonly damage: Damage[];
  readonly torn: Damage[];
  /** From this byte on a crash may have taken some records of a commit and left others. */
  readonly doubtful: number | undefined;
} {
  const damage: Damage[] = [];
  const torn: Damage[] = [];
  const before = records.filter(({ head }) => head.ordinal < (followedBy ?? Number.POSITIVE_INFINITY));
  const acknowledged = {
    end: before.reduce((most, { offset, head }) => Math.max(most, offset + recordBytes(head)), 0),
    highest: before.reduce((most, { head }) => Math.max(most, head.ordinal), highest),
  };
  let doubtful: number | undefined;
  if (file.header === undefined && index.records > 0) {
    damage.push({
      segment: file.segment,
      offset: 0,
      bytes: 64,
      reason: "the header is damaged",
      record: undefined,
    });
  }
  for (const hole of holes) {
    let harmless: boolean;
    if (indexOffset !== undefined) {
      // Then all records were synced, and what is wrong behind them is the index, which can be made again.
      harmless = hole.offset >= indexOffset;
    } else if (isLast) {
      harmless = hole.offset >= lastCommit;
      if (harmless) doubtful ??= hole.offset;
    } else {
      // The next segment says what was acknowledged by then. If all of that is there, what is behind it was not.
      harmless = hole.offset >= acknowledged.end && acknowledged.highest + 1 >= (followedBy ?? 1);
    }
    (harmless ? torn : damage).push(placeOf(file.segment, hole, bytes));
  }
  return { damage, torn, doubtful };
}

/**
 * A torn commit may keep the end of a group and lose one of its frames. Such an end goes with the bytes that the crash
 * tore: what is left of the group must not count at this start, and not at a later one, which has no doubts any more.
 */
function endsOfHalfGroups(groups: GroupRows, { index }: ScannedSegment, doubtful: number): IndexEntry[] {
  const summary = index.summary();
  groups.meet(summary);
  return summary.special.flatMap((logged) =>
    logged.entry.place.offset < doubtful || groups.isWhole(logged) ? [] : [logged.entry],
  );
}

function halfGroup(segment: number, record: IndexEntry): Damage {
  const { offset, length } = record.place;
  return { segment, offset, bytes: length, reason: "rows of the group that ends here are not there", record };
}

/** What was found in place of a record. */
export function placeOf(segment: number, hole: Hole, bytes: Buffer): Damage {
  const { offset } = hole;
  if (hole.record === undefined) {
    return { segment, offset, bytes: hole.bytes, reason: "the bytes are no record", record: undefined };
  }
  const { head } = hole.record;
  const place = { segment, offset, length: recordBytes(head) };
  const record =
    head.kind >= KIND.index
      ? undefined
      : { ordinal: head.ordinal, place, record: aboutOf(bytes, offset, head) };
  return { segment, offset, bytes: hole.bytes, reason: "the payload's checksum does not hold", record };
}

/**
 * Writes the end of a segment behind its last record. Its last commit is written again first: the process may have died
 * after a sync that failed, and then the system reads these bytes although the disk has not got them. The footer, which
 * says that all this is done, comes only when that is synced.
 */
function close(
  { disk, path }: Patient,
  file: SegmentFile,
  scanned: ScannedSegment,
  header: SegmentHeader,
): number {
  const fd = disk.open(path, "write");
  try {
    const { bytes, end, lastCommit, index } = scanned;
    if (file.header === undefined) writeFully(disk, fd, encodeSegmentHeader(header), 0);
    if (lastCommit < end) writeFully(disk, fd, bytes.subarray(lastCommit, end), lastCommit);
    disk.datasync(fd);
    try {
      return writeClosing(disk, fd, end, header, index);
    } catch (error) {
      // Half an index would look like damage once there is a segment behind this one.
      disk.truncate(fd, end);
      throw error;
    }
  } finally {
    disk.close(fd);
  }
}
