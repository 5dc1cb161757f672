import type { Batch, SeqSpan } from "../buffer/batch.js";
import type { Journal } from "../buffer/journal.js";
import type { BatchHistories } from "./batch-histories.js";
import { type LogRecord, sealChecksum } from "./records.js";
import type { SeqRange } from "./seq-set.js";

/** Where the rows of one table are remembered whose fate is known. */
interface Fates {
  unknown(run: bigint, first: number, last: number): readonly SeqRange[];
  stored(run: bigint, rows: readonly SeqSpan[]): void;
  skipped(run: bigint, rows: readonly SeqSpan[]): void;
}

/** The journal of one table in the log. */
export class LogJournal implements Journal {
  readonly #append: (records: readonly LogRecord[]) => Promise<unknown>;
  readonly #fates: Fates;
  readonly #histories: BatchHistories;

  /** `append` resolves when the records are on disk; `histories` are those that the log held when it was opened. */
  constructor(
    append: (records: readonly LogRecord[]) => Promise<unknown>,
    fates: Fates,
    histories: BatchHistories,
  ) {
    this.#append = append;
    this.#fates = fates;
    this.#histories = histories;
  }

  open(batch: Batch): readonly Batch[] {
    const { inherited } = batch;
    if (!inherited) return [batch];
    return this.#histories.open(batch, (run, first, last) => this.#fates.unknown(run, first, last));
  }

  async seal(batch: Batch, generation: number): Promise<void> {
    const { table, partition, run, name, rows, frames } = batch;
    const what = { table: table.name, partition: partition.key, run, batch: name };
    await this.#append([{ kind: "seal", ...what, generation, frames, rows, checksum: sealChecksum(frames) }]);
  }

  async split(batch: Batch, halves: readonly [Batch, Batch]): Promise<void> {
    const { table, run, name } = batch;
    const children = [halves[0].name, halves[1].name] as const;
    await this.#append([{ kind: "split", table: table.name, run, parent: name, children }]);
  }

  async skip(batch: Batch): Promise<void> {
    const { table, run, name, frames } = batch;
    await this.#append(
      frames.map((span) => ({ kind: "skip", table: table.name, run, ...span, batch: name })),
    );
    this.#fates.skipped(run, frames);
  }

  stored({ run, frames }: Batch): void {
    this.#fates.stored(run, frames);
  }
}
