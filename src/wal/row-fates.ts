import type { SeqSpan } from "../buffer/batch.js";
import type { CursorTable } from "./recovered.js";
import { SeqSet } from "./seq-set.js";

/** The rows of one run. */
class RunFates {
  readonly stored: SeqSet = new SeqSet();
  readonly skipped: SeqSet = new SeqSet();
  /** Both of them. */
  readonly known: SeqSet = new SeqSet();
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

  /** Whether the fate of all these rows is known. */
  isKnown(run: bigint, { firstSeq, count }: SeqSpan): boolean {
    return this.#runs.get(run)?.known.covers(firstSeq, firstSeq + count - 1) ?? count === 0;
  }

  /** How many of the rows `first` … `last` have an unknown fate. */
  unknownIn(run: bigint, first: number, last: number): number {
    const missing = this.#runs.get(run)?.known.missingIn(first, last) ?? [{ first, last }];
    return missing.reduce((sum, range) => sum + range.last - range.first + 1, 0);
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
