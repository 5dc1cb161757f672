import type { Parameter } from "./sql-text.js";

/**
 * What a request's text asks for, as far as it must be known before the engine runs it: whether data follows, where the
 * result goes, whether it may change anything. Text that could make the engine see two statements, data inside the
 * text, or a file outside of the data folder is refused.
 */
export type Statement = SelectStatement | InsertStatement | PlainStatement | KillStatement;

interface Common {
  /** The statement as it came, without data and without a closing semicolon. */
  readonly text: string;
  readonly parameters: readonly Parameter[];
}

/** A read whose result may be of any size. */
export interface SelectStatement extends Common {
  readonly kind: "select";
  /** The text with INTO OUTFILE where it belongs. */
  readonly into: (outfile: string) => string;
  /** Name in the FORMAT clause. */
  readonly format: string | undefined;
}

/** An INSERT whose data follows its text. */
export interface InsertStatement extends Common {
  readonly kind: "insert";
  /** The statement that reads its data from a file. `compression` as FROM INFILE calls it. */
  readonly fromFile: (file: string, compression: string) => string;
  readonly format: string;
  /** Byte offset in the request's text at which the data starts. */
  readonly dataAt: number;
}

/** Anything else: a small result or none. */
export interface PlainStatement extends Common {
  readonly kind: "read" | "write";
  readonly format: string | undefined;
}

/** KILL QUERY, which also has to reach requests that the engine has not seen yet. */
export interface KillStatement extends Common {
  readonly kind: "kill";
  readonly condition: string;
  readonly mode: "ASYNC" | "SYNC" | "TEST";
  readonly format: string | undefined;
}
