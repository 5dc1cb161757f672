import { join } from "node:path";
import { setImmediate as breathe } from "node:timers/promises";
import { segmentName } from "./format.js";
import { placeOf } from "./mend.js";
import { readOnlyDisk } from "./read-only-disk.js";
import type { Damage } from "./recovered.js";
import type { Hole } from "./scan.js";
import { SegmentFile } from "./segment-file.js";
import { readEntries, type ScannedSegment, scanSegment } from "./segment-reader.js";
import { pendingOf, type Survey, type SurveyedSegment, surveyLog } from "./survey.js";

/** A damaged place and what it costs. */
export interface CostlyDamage extends Damage {
  /** Rows of its frame that are not known to be stored: they are lost unless ClickHouse has them. */
  readonly pending: number;
}

/** What was found when a log was read byte by byte. */
export interface Verification {
  readonly segments: number;
  readonly bytes: number;
  readonly records: number;
  readonly damage: readonly CostlyDamage[];
  /** What a crash, or a recorder at work, left unfinished at the end. */
  readonly torn: readonly Damage[];
}

/**
 * Compares every checksum of a log; changes nothing.
 * @param onProgress called after each segment
 * @throws as `surveyLog`
 */
export async function verifyLog(
  dir: string,
  onProgress: (bytes: number, totalBytes: number) => void,
): Promise<Verification> {
  const survey = surveyLog(dir);
  const { logId, segments, damage: found, torn } = survey;
  const damage = [...found];
  const totalBytes = segments.reduce((sum, segment) => sum + segment.bytes, 0);
  let bytes = 0;
  let records = 0;
  for (const segment of segments) {
    const read = readThrough(dir, segment, logId!);
    records += read.records;
    damage.push(...read.damage);
    bytes += segment.bytes;
    onProgress(bytes, totalBytes);
    await breathe();
  }
  const costly = damage.map((place) => ({ ...place, pending: pendingAt(survey, place) }));
  return { segments: segments.length, bytes, records, damage: costly, torn };
}

function pendingAt(survey: Survey, { record }: Damage): number {
  return record?.record.kind === "rows" ? pendingOf(survey, record.record) : 0;
}

/** Reads a segment from its first to its last byte; of one that is not closed only the sound records are told. */
export function readThrough(
  dir: string,
  { segment, closed }: Pick<SurveyedSegment, "segment" | "closed">,
  logId: bigint,
): { readonly records: number; readonly damage: readonly Damage[] } {
  const file = openUnlessGone(join(dir, segmentName(segment)));
  if (file === undefined) return { records: 0, damage: [] };
  try {
    const scanned = scanSegment(file, logId);
    const { records } = scanned.index;
    // Others were looked through by the survey, which tells what is torn from what is damaged.
    const damage = closed ? scanned.holes.flatMap((hole) => placesOf(file, hole, scanned, logId)) : [];
    return { records, damage };
  } finally {
    file.close();
  }
}

/** A hole, record by record where the segment's index knows what was there. */
function placesOf(
  file: SegmentFile,
  hole: Hole,
  { segment, bytes }: ScannedSegment,
  logId: bigint,
): Damage[] {
  const place = placeOf(segment, hole, bytes);
  const end = hole.offset + hole.bytes;
  if (place.record !== undefined || file.footer === undefined || hole.offset >= file.footer.indexOffset)
    return [place];
  const inside = readEntries(file, logId).filter(
    ({ entry }) => entry.place.offset >= hole.offset && entry.place.offset < end,
  );
  if (inside.length === 0) return [place];
  return inside.map(({ entry }) => {
    const { offset, length } = entry.place;
    return { segment, offset, bytes: length, reason: "the record's head is damaged", record: entry };
  });
}

/** A running recorder removes segments meanwhile. */
function openUnlessGone(path: string): SegmentFile | undefined {
  try {
    return new SegmentFile(readOnlyDisk, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
