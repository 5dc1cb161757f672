import { ColdpathError } from "../../base/errors.js";
import { nearest } from "../../base/nearest.js";

/** One mistake in a mapping file. */
export interface MappingIssue {
  /** `columns.ts_exchange.unit`; empty for the file as a whole. */
  readonly path: string;
  readonly message: string;
}

/** All mistakes of a mapping, or of a file that is to be read with it, at once. */
export class MappingError extends ColdpathError {
  override readonly name = "MappingError";
  readonly issues: readonly MappingIssue[];

  /** `subject` is what has the mistakes, such as `the mapping fx.yaml`. */
  constructor(subject: string, issues: readonly MappingIssue[]) {
    const lines = issues.map(({ path, message }) => `  ${path === "" ? "" : `${path}: `}${message}`);
    const count = issues.length === 1 ? "a mistake" : `${issues.length} mistakes`;
    super("MAPPING_INVALID", `${subject} has ${count}:\n${lines.join("\n")}`);
    this.issues = issues;
  }
}

/** `; did you mean …?`, or the whole list when nothing is near. */
export function hint(key: string, allowed: Iterable<string>): string {
  const names = [...allowed];
  return didYouMean(key, names) || (names.length === 0 ? "" : `; known are ${names.join(", ")}`);
}

/** `; did you mean …?`, or nothing. */
export function didYouMean(key: string, allowed: Iterable<string>): string {
  const guess = nearest(key, allowed);
  return guess === undefined ? "" : `; did you mean ${guess}?`;
}
