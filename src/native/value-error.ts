import { inspect } from "node:util";
import { ColdpathError } from "../base/errors.js";
import { NumberText } from "./number-text.js";

const PREVIEW_LENGTH = 100;

/** A value that does not fit its column. It costs its row and nothing else. */
export class ValueError extends ColdpathError {
  override readonly name = "ValueError";
  readonly column: string;
  /** Why, without column and value: `has more than 8 decimal places`. */
  readonly reason: string;
  /** The value as a person would recognise it, at most 100 characters. */
  readonly value: string;

  constructor(column: string, reason: string, value: unknown) {
    const text = preview(value, PREVIEW_LENGTH);
    super(
      "VALUE_REJECTED",
      value === undefined ? `column ${column} ${reason}` : `column ${column}: ${text} ${reason}`,
    );
    this.column = column;
    this.reason = reason;
    this.value = text;
  }
}

/** Any value as text of at most `length` characters, never throwing whatever a row holds. */
export function preview(value: unknown, length: number): string {
  const text =
    value instanceof NumberText
      ? value.text
      : inspect(value, {
          depth: 1,
          maxArrayLength: 5,
          maxStringLength: length,
          breakLength: Number.POSITIVE_INFINITY,
          customInspect: false,
        });
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}
