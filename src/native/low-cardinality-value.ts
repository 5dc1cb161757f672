import type { ColumnWriter } from "./column-writer.js";
import { LowCardinalityWriter } from "./low-cardinality.js";
import { ValueDictionary } from "./value-dictionary.js";

/** LowCardinality of any type but String, Nullable or not. */
export class LowCardinalityValueWriter extends LowCardinalityWriter {
  readonly #values: ValueDictionary;

  /** @param values an empty writer of the type, which then belongs to this one. */
  constructor(values: ColumnWriter, nullable: boolean) {
    const dictionary = new ValueDictionary(values);
    super(dictionary, nullable);
    this.#values = dictionary;
  }

  override append(value: unknown): void {
    if (!this.appendNull(value)) this.appendCode(this.#values.codeOf(value));
  }

  override appendDefault(): void {
    if (!this.appendNull(null)) this.appendCode(this.#values.codeOfDefault());
  }

  override secondsAt(index: number): number {
    const code = this.codeAt(index);
    return code === undefined ? Number.NaN : this.#values.secondsAt(code);
  }
}
