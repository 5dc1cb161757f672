import { ColdpathError } from "../base/errors.js";

/** A line that does not become a row for a reason that lies in no single column. It costs itself and nothing else. */
export class LineError extends ColdpathError {
  override readonly name = "LineError";
  /** The same for all lines with this fault, so that they can be counted: `is broken JSON`. */
  readonly reason: string;

  /** `detail` is what this line shows of it; its first 100 characters are kept. */
  constructor(reason: string, detail?: string, cause?: unknown) {
    super("VALUE_REJECTED", detail === undefined ? reason : `${reason}: ${detail.slice(0, 100)}`, { cause });
    this.reason = reason;
  }
}
