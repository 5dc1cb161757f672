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
    const text = preview(value);
    super("VALUE_REJECTED", `column ${column}: ${text} ${reason}`);
    this.column = column;
    this.reason = reason;
    this.value = text;
  }
}

/** The first 100 characters of any value, never throwing whatever a row holds. */
function preview(value: unknown): string {
  const text =
    value instanceof NumberText
      ? value.text
      : inspect(value, {
          depth: 1,
          maxArrayLength: 5,
          maxStringLength: PREVIEW_LENGTH,
          breakLength: Number.POSITIVE_INFINITY,
          customInspect: false,
        });
  return text.length <= PREVIEW_LENGTH ? text : `${text.slice(0, PREVIEW_LENGTH - 1)}…`;
}
