/**
 * A JSON number kept as its source text, so that decimals and 64-bit integers never pass through a double. Parsers make
 * it; the column writers read `text` exactly as they read a string of digits.
 */
export class NumberText {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  toString(): string {
    return this.text;
  }

  /** The digits as text: a number of JSON would end as a double. */
  toJSON(): string {
    return this.text;
  }
}
