import { ColdpathError } from "../base/errors.js";
import type { Batch } from "../buffer/batch.js";
import type { Table } from "../schemas/table.js";
import { leftOutValues } from "./dead-letter.js";
import type { DeadLetters } from "./dead-letters.js";

/** Keeps what columns hold that a batch is sent without. */
export class LeftOut {
  readonly #deadLetters: DeadLetters;
  /** Of this batch: columns whose letters are on disk. */
  readonly #kept = new Set<string>();

  constructor(deadLetters: DeadLetters) {
    this.#deadLetters = deadLetters;
  }

  /**
   * Resolves when what these columns hold in the batch is on disk, one letter a row. A later start that does it again writes none twice.
   * @throws the file system's error: then the batch must not be sent
   */
  async keep(batch: Batch, columns: ReadonlySet<string>): Promise<void> {
    for (const column of batch.columnsIn(columns)) {
      if (this.#kept.has(column)) continue;
      await Promise.all([...leftOutValues(batch, column)].map((letter) => this.#deadLetters.add(letter)));
      this.#kept.add(column);
    }
  }
}

/** @throws ColdpathError USAGE if the table has the column */
export function requireGone({ name, columns }: Table, column: string): void {
  if (columns.every((each) => each.name !== column)) return;
  throw new ColdpathError(
    "USAGE",
    `${name} has the column ${column}: only one that was dropped can be left out`,
  );
}
