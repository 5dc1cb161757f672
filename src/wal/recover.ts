import { join } from "node:path";
import { messageOf } from "../base/errors.js";
import type { Disk } from "./disk.js";
import type { LogDiskError } from "./disk-error.js";
import { segmentName, segmentNumber } from "./format.js";
import { GroupRows } from "./group-rows.js";
import { type Mended, mend } from "./mend.js";
import type { Damage, SegmentSummary } from "./recovered.js";
import { SegmentFile } from "./segment-file.js";
import type { Summary } from "./segment-index.js";
import { readEntries } from "./segment-reader.js";
import { Tally } from "./tally.js";

/** What the segments of a folder hold. */
export interface SegmentsFound extends Pick<Tally, "marks" | "positions"> {
  /** Undefined if no file says which log this is. */
  readonly logId: bigint | undefined;
  readonly segments: readonly SegmentSummary[];
  /** 1 if there is none. */
  readonly nextOrdinal: number;
  /** Above the numbers of all files, also of those that were not taken. */
  readonly nextSegment: number;
  readonly damage: readonly Damage[];
  readonly torn: readonly Damage[];
  readonly trouble: LogDiskError | undefined;
}

/** First look at a file: no more than header and footer. */
interface Glance {
  readonly segment: number;
  readonly path: string;
  readonly bytes: number;
  readonly logId: bigint | undefined;
  /** The number that the file gives itself. */
  readonly named: number | undefined;
  readonly nextOrdinal: number | undefined;
}

interface MendedSegment {
  readonly glance: Glance;
  readonly found: Mended;
}

/** A segment that cannot be read may become readable: ordinals go on where its own cannot have come. */
const LEAP = 2 ** 32;

/**
 * Finds the records of a log. Closed segments are believed by their summary; the others are scanned, and closed when what is
 * damaged in them is in quarantine. `knownId` is what else says which log this is.
 * @throws LogDiskError when the folder or a file cannot be read for a cause that may go away; WAL_NEWER
 */
export function recoverSegments(
  disk: Disk,
  folder: string,
  knownId: bigint | undefined,
  now: number,
): SegmentsFound {
  const damage: Damage[] = [];
  const numbers = disk.list(folder).flatMap((name) => segmentNumber(name) ?? []);
  numbers.sort((a, b) => a - b);
  const glances = numbers.flatMap((segment) =>
    unlessUnreadable(segment, damage, () => glanceAt(disk, folder, segment)),
  );
  const logId = idOf(glances, knownId);
  const own = glances.filter((glance) => isOwn(glance, logId, damage));
  const mended = mendAll(disk, folder, own, logId, damage, now);
  const { tally, segments } = tallyUp(disk, logId, mended);
  const read = Math.max(0, ...mended.map(({ found }) => found.highest));
  const nextOrdinal = Math.max(read + 1, ...own.map((glance) => glance.nextOrdinal ?? 1));
  return {
    logId,
    segments,
    marks: tally.marks.sort((a, b) => a.ordinal - b.ordinal),
    positions: tally.positions,
    nextOrdinal:
      mended.length < own.length || glances.length < numbers.length ? nextOrdinal + LEAP : nextOrdinal,
    nextSegment: (numbers.at(-1) ?? 0) + 1,
    damage: [...damage, ...mended.flatMap(({ found }) => found.damage)],
    torn: mended.flatMap(({ found }) => found.torn),
    trouble: mended.find(({ found }) => found.trouble !== undefined)?.found.trouble,
  };
}

/** What `look` finds in the segment; nothing, but a report, if the disk cannot read it. */
function unlessUnreadable<T>(segment: number, damage: Damage[], look: () => T): T[] {
  try {
    return [look()];
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EIO") throw error;
    damage.push({
      segment,
      offset: 0,
      bytes: 0,
      reason: `unreadable: ${messageOf(error)}`,
      record: undefined,
    });
    return [];
  }
}

function glanceAt(disk: Disk, folder: string, segment: number): Glance {
  const path = join(folder, segmentName(segment));
  const file = new SegmentFile(disk, path);
  file.close();
  const { header, footer, size: bytes } = file;
  const identity = header ?? footer;
  const { logId, segment: named, nextOrdinal } = { ...identity };
  return { segment, path, bytes, logId, named, nextOrdinal };
}

function mendAll(
  disk: Disk,
  folder: string,
  own: readonly Glance[],
  logId: bigint | undefined,
  damage: Damage[],
  now: number,
): MendedSegment[] {
  let highest = 0;
  const groups = new GroupRows();
  return own.flatMap((glance, at) => {
    const next = own[at + 1];
    const neighbours = { highest, isLast: next === undefined, followedBy: next?.nextOrdinal };
    return unlessUnreadable(glance.segment, damage, () => {
      const found = mend({ disk, folder, path: glance.path, logId: logId!, now, groups, ...neighbours });
      if (found.summary !== undefined) groups.meet(found.summary);
      highest = Math.max(highest, found.highest);
      return { glance, found };
    });
  });
}

/** The log that most files belong to; `knownId` decides between equals and where no file says it. */
function idOf(glances: readonly Glance[], knownId: bigint | undefined): bigint | undefined {
  const votes = new Map<bigint, number>();
  for (const { logId } of glances) if (logId !== undefined) votes.set(logId, (votes.get(logId) ?? 0) + 1);
  if (knownId !== undefined && (votes.has(knownId) || votes.size === 0)) {
    votes.set(knownId, (votes.get(knownId) ?? 0) + 0.5);
  }
  return [...votes].sort(([, a], [, b]) => b - a)[0]?.[0];
}

function isOwn(glance: Glance, logId: bigint | undefined, damage: Damage[]): boolean {
  const { segment, bytes, named } = glance;
  const refuse = (reason: string): boolean => {
    damage.push({ segment, offset: 0, bytes, reason, record: undefined });
    return false;
  };
  if (logId === undefined) return refuse("the header is damaged, and nothing says which log it was");
  if (glance.logId !== undefined && glance.logId !== logId)
    return refuse("the segment belongs to another log");
  if (named !== undefined && named !== segment) return refuse(`the file is a copy of segment ${named}`);
  return true;
}

function tallyUp(
  disk: Disk,
  logId: bigint | undefined,
  mended: readonly MendedSegment[],
): { readonly tally: Tally; readonly segments: SegmentSummary[] } {
  const tally = new Tally();
  const kept = mended.flatMap(({ glance, found }) =>
    found.summary === undefined ? [] : [{ glance, found, summary: found.summary }],
  );
  for (const { summary } of kept) tally.meet(summary);
  const segments = kept.map(({ glance, found, summary }): SegmentSummary => {
    const counted = tally.count(summary, () => {
      const file = new SegmentFile(disk, glance.path);
      try {
        return readEntries(file, logId!);
      } finally {
        file.close();
      }
    });
    const { bytes, closed, createdAt } = found;
    const { tables, dropped } = counted;
    return { segment: glance.segment, bytes, closed, createdAt, ...ordinalsOf(summary), tables, dropped };
  });
  return { tally, segments };
}

function ordinalsOf({ ordinals, special }: Summary): { firstOrdinal: number; lastOrdinal: number } {
  const { ranges } = ordinals;
  let firstOrdinal = ranges[0]?.first ?? Number.POSITIVE_INFINITY;
  let lastOrdinal = ranges.at(-1)?.last ?? 0;
  for (const { entry } of special) {
    firstOrdinal = Math.min(firstOrdinal, entry.ordinal);
    lastOrdinal = Math.max(lastOrdinal, entry.ordinal);
  }
  return lastOrdinal === 0 ? { firstOrdinal: 1, lastOrdinal: 0 } : { firstOrdinal, lastOrdinal };
}
