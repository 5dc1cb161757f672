import { ValueError } from "../native/block.js";
import { LineError } from "./line-error.js";

/** One refused row. */
export interface Rejection {
  /** Physical line in its source, from 1. */
  readonly line: number;
  /** The column at fault, if it is one. */
  readonly column?: string;
  /** Without column and value: `has more than 8 decimal places`. */
  readonly reason: string;
  /** The whole sentence for a person. */
  readonly message: string;
}

/** Rejections told one by one; the rest is only counted. */
const SHOWN_MAX = 20;
/** Different reasons counted apart; garbage can make any number of them. */
const REASONS_MAX = 100;
const OTHER_REASONS = "other reasons";

/** Counts refused rows, all of them, and keeps the first few. */
export class Rejections {
  readonly #counts = new Map<string, number>();
  readonly #first: Rejection[] = [];
  readonly #shownMax: number;
  #rows = 0;

  constructor(shownMax = SHOWN_MAX) {
    this.#shownMax = shownMax;
  }

  get rows(): number {
    return this.#rows;
  }

  /** The first rejections, in order. */
  get first(): readonly Rejection[] {
    return this.#first;
  }

  /** Rows by reason, `column: reason` where there is a column; most frequent first. */
  get reasons(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#counts].sort((a, b) => b[1] - a[1]));
  }

  add(line: number, error: RowError): void {
    this.#rows += 1;
    const column = error instanceof ValueError ? error.column : undefined;
    const key = column === undefined ? error.reason : `${column}: ${error.reason}`;
    const counted = this.#counts.has(key) || this.#counts.size < REASONS_MAX ? key : OTHER_REASONS;
    this.#counts.set(counted, (this.#counts.get(counted) ?? 0) + 1);
    if (this.#first.length >= this.#shownMax) return;
    const { reason, message } = error;
    this.#first.push({ line, ...(column === undefined ? {} : { column }), reason, message });
  }
}

/** What may be wrong with a row; anything else that is thrown is a fault of the program. */
export type RowError = ValueError | LineError;

/** The error as a fault of the row. @throws it if it is none. */
export function asRowError(error: unknown): RowError {
  if (error instanceof ValueError || error instanceof LineError) return error;
  throw error;
}
