import { BASE_CODEC } from "./codecs-candidates.js";
import type { Trial } from "./codecs-trial.js";

/** A codec on a family over all data sets it was tried on. */
export interface Candidate {
  readonly family: string;
  readonly codec: string;
  readonly isCommitted: boolean;
  /** Mean over the data sets of bytes by row: each set counts the same, however many rows it has. */
  readonly bytes: number;
  readonly bytesBySet: Readonly<Record<string, number>>;
  /** Times summed over the data sets, relative to ZSTD(1) alone. */
  readonly insert: number;
  readonly read: number;
}

/** Worse than the best by more than this part of its bytes is a miss … */
const SLACK = 0.1;
/** … if it is as many bytes a row, half a percent of the leanest row … */
const FLOOR_BYTES = 0.05;
/** … and what would be smaller does not take this much longer to write or read. */
const DEARER = 1.5;

/** The trials of one family, smallest first. */
export function candidatesOf(trials: readonly Trial[]): Candidate[] {
  const sum = (codec: string, value: (trial: Trial) => number): number =>
    trials.filter((trial) => trial.codec === codec).reduce((total, trial) => total + value(trial), 0);
  return [...new Set(trials.map(({ codec }) => codec))]
    .map((codec) => {
      const own = trials.filter((trial) => trial.codec === codec);
      return {
        family: own[0]!.family,
        codec,
        isCommitted: own[0]!.isCommitted,
        bytes: sum(codec, ({ bytes }) => bytes) / own.length,
        bytesBySet: Object.fromEntries(own.map(({ set, bytes }) => [set, bytes])),
        insert: sum(codec, ({ insertMs }) => insertMs) / sum(BASE_CODEC, ({ insertMs }) => insertMs),
        read: sum(codec, ({ readMs }) => readMs) / sum(BASE_CODEC, ({ readMs }) => readMs),
      };
    })
    .sort((a, b) => a.bytes - b.bytes);
}

/** What the schema should have in place of its choice; undefined if its choice holds. */
export function better(candidates: readonly Candidate[]): Candidate | undefined {
  const own = candidates.find((candidate) => candidate.isCommitted)!;
  return candidates.find(
    ({ bytes, insert, read }) =>
      own.bytes > bytes * (1 + SLACK) &&
      own.bytes - bytes > FLOOR_BYTES &&
      insert <= own.insert * DEARER &&
      read <= own.read * DEARER,
  );
}
