import type { SeqSpan } from "../buffer/batch.js";
import type { CursorTable } from "./recovered.js";
import { type SeqRange, SeqSet } from "./seq-set.js";

/** The rows of one run. */
class RunFates {
  readonly stored: SeqSet = new SeqSet();
  readonly skipped: SeqSet = new SeqSet();
  /** Both of them. */
  readonly known: SeqSet = new SeqSet();
  /** Damaged in the log. */
  readonly unreadable: SeqSet = new SeqSet();
}

/** What is known of the rows of one table's log, by run and number: stored, or given up with their dead letters on disk. */
export class RowFates {
  readonly table: string;
  readonly #runs = new Map<bigint, RunFates>();
  /** Told of each change. */
  readonly #onChange: () => void;

  constructor(table: string, onChange: () => void) {
    this.table = table;
    this.#onChange = onChange;
  }

  /** The rows are in ClickHouse. */
  stored(run: bigint, spans: readonly SeqSpan[]): void {
    this.#add(run, "stored", spans);
  }

  /** The rows were given up. */
  skipped(run: bigint, spans: readonly SeqSpan[]): void {
    this.#add(run, "skipped", spans);
  }

  /** The log has not got the rows any more: nobody waits for them, and what is left of them stays where it is. */
  unreadable(run: bigint, { firstSeq, count }: SeqSpan): void {
    this.#of(run).unreadable.add(firstSeq, firstSeq + count - 1);
  }

  /** Whether the fate of all these rows is known. */
  isKnown(run: bigint, { firstSeq, count }: SeqSpan): boolean {
    return this.#runs.get(run)?.known.covers(firstSeq, firstSeq + count - 1) ?? count === 0;
  }

  /** Those of the rows `first` … `last` whose fate is not known, in ascending order. */
  unknown(run: bigint, first: number, last: number): readonly SeqRange[] {
    return this.#runs.get(run)?.known.missingIn(first, last) ?? [{ first, last }];
  }

  /** Those of them that can still be sent. */
  open(run: bigint, first: number, last: number): readonly SeqRange[] {
    const unreadable = this.#runs.get(run)?.unreadable;
    return this.unknown(run, first, last).flatMap(
      (range) => unreadable?.missingIn(range.first, range.last) ?? [range],
    );
  }

  /** How many these are. */
  openIn(run: bigint, first: number, last: number): number {
    return this.open(run, first, last).reduce((sum, range) => sum + range.last - range.first + 1, 0);
  }

  /** Rows of unknown fate that the log has not got any more. */
  get missing(): number {
    let rows = 0;
    for (const { known, unreadable } of this.#runs.values())
      for (const { first, last } of unreadable.ranges)
        for (const range of known.missingIn(first, last)) rows += range.last - range.first + 1;
    return rows;
  }

  /** Those of the rows that are known to be in ClickHouse, in ascending order. */
  storedOf(run: bigint, first: number, last: number): readonly SeqRange[] {
    return this.#runs.get(run)?.stored.within(first, last) ?? [];
  }

  /** Rows known to be in ClickHouse are not there any more: their fate is unknown again. */
  lost(run: bigint, rows: readonly SeqRange[]): void {
    const { stored, known } = this.#of(run);
    for (const { first, last } of rows) {
      stored.remove(first, last);
      known.remove(first, last);
    }
    this.#onChange();
  }

  /** How many of these rows were given up. */
  skippedIn(run: bigint, { firstSeq, count }: SeqSpan): number {
    const { skipped } = this.#of(run);
    const kept = skipped.missingIn(firstSeq, firstSeq + count - 1);
    return count - kept.reduce((sum, range) => sum + range.last - range.first + 1, 0);
  }

  /** For the cursor. */
  get runs(): CursorTable[] {
    return [...this.#runs].map(([run, { stored, skipped }]) => ({
      table: this.table,
      run,
      stored: [...stored.ranges],
      skipped: [...skipped.ranges],
    }));
  }

  #add(run: bigint, kind: "stored" | "skipped", spans: readonly SeqSpan[]): void {
    const fates = this.#of(run);
    for (const { firstSeq, count } of spans) {
      fates[kind].add(firstSeq, firstSeq + count - 1);
      fates.known.add(firstSeq, firstSeq + count - 1);
    }
    this.#onChange();
  }

  #of(run: bigint): RunFates {
    let fates = this.#runs.get(run);
    if (fates === undefined) {
      fates = new RunFates();
      this.#runs.set(run, fates);
    }
    return fates;
  }
}
