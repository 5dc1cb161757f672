import type { SeqSpan } from "../buffer/batch.js";
import type { SeqRange, SeqSet } from "./seq-set.js";

/** Rows that will not be sent though the log had them. */
export interface GivenUp extends SeqSpan {
  readonly run: bigint;
  /** Not taken by this start, or counted as stored before ClickHouse lost them. */
  readonly inherited: boolean;
}

/**
 * These rows of a run as they are told.
 * @param again of rows of this start those that were counted as stored; undefined for a run of an earlier one
 */
export function givenUp(run: bigint, { first, last }: SeqRange, again: SeqSet | undefined): GivenUp[] {
  const span = (range: SeqRange, inherited: boolean): GivenUp => ({
    run,
    firstSeq: range.first,
    count: range.last - range.first + 1,
    inherited,
  });
  if (again === undefined) return [span({ first, last }, true)];
  return [
    ...again.within(first, last).map((range) => span(range, true)),
    ...again.missingIn(first, last).map((range) => span(range, false)),
  ];
}

/** Takes the rows of frames out of those of a run. */
export function without(
  rows: SeqSet,
  run: bigint,
  frames: readonly (SeqSpan & { readonly run: bigint })[],
): void {
  for (const frame of frames)
    if (frame.run === run) rows.remove(frame.firstSeq, frame.firstSeq + frame.count - 1);
}
