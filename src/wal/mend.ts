import type { Disk } from "./disk.js";
import { LogDiskError } from "./disk-error.js";
import { encodeSegmentHeader, KIND, recordBytes, type SegmentHeader } from "./format.js";
import { quarantine } from "./quarantine.js";
import type { Damage } from "./recovered.js";
import type { Hole } from "./scan.js";
import { SegmentFile } from "./segment-file.js";
import { decodeSummary, highestOrdinal, type Summary } from "./segment-index.js";
import { aboutOf, type ScannedSegment, scanSegment } from "./segment-reader.js";
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
  /** From this byte on a crash may have taken some records of a commit and left others. */
  readonly doubtful: number | undefined;
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
  const none = { doubtful: undefined, damage: [], torn: [], trouble: undefined };
  return { summary, closed: true, bytes: file.size, createdAt: footer.createdAt, highest, ...none };
}

function treat(patient: Patient, file: SegmentFile): Mended {
  const scanned = scanSegment(file, patient.logId);
  const { damage, torn, doubtful } = diagnose(patient, file, scanned);
  const summary = scanned.index.summary();
  const header: SegmentHeader = file.header ??
    file.footer ?? {
      segment: file.segment,
      logId: patient.logId,
      createdAt: patient.now,
      nextOrdinal: patient.highest + 1,
    };
  const found = { summary, createdAt: header.createdAt, damage, torn, doubtful };
  const highest = highestOrdinal(summary);
  try {
    for (const { offset, bytes } of [...damage, ...torn]) {
      quarantine(
        patient.disk,
        patient.folder,
        file.segment,
        offset,
        scanned.bytes.subarray(offset, offset + bytes),
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
): { damage: Damage[]; torn: Damage[]; doubtful: number | undefined } {
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
