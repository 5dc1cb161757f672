import { join } from "node:path";
import { setImmediate as breathe } from "node:timers/promises";
import { segmentName } from "./format.js";
import { placeOf } from "./mend.js";
import { readOnlyDisk } from "./read-only-disk.js";
import type { Damage } from "./recovered.js";
import { SegmentFile } from "./segment-file.js";
import { scanSegment } from "./segment-reader.js";
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

function readThrough(
  dir: string,
  { segment, closed }: SurveyedSegment,
  logId: bigint,
): { readonly records: number; readonly damage: readonly Damage[] } {
  const file = openUnlessGone(join(dir, segmentName(segment)));
  if (file === undefined) return { records: 0, damage: [] };
  try {
    const scanned = scanSegment(file, logId);
    const { records } = scanned.index;
    // Others were looked through by the survey, which tells what is torn from what is damaged.
    const damage = closed ? scanned.holes.map((hole) => placeOf(segment, hole, scanned.bytes)) : [];
    return { records, damage };
  } finally {
    file.close();
  }
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
