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
  /** What stores the data of a file. */
  readonly fromFile: (data: SpooledData) => FromFile;
  readonly format: string;
  /** Its data are the rows that are written, not what a SELECT makes of them. */
  readonly isPlain: boolean;
  /** Byte offset in the request's text at which the data starts. */
  readonly dataAt: number;
}

/** The data of an INSERT in a file. */
export interface SpooledData {
  readonly file: string;
  /** As FROM INFILE calls it. */
  readonly compression: string;
  /** Unique; each statement has it in its text, as it is part of the file's path. */
  readonly name: string;
  /** Settings for reading it that no other may undo; empty for none. */
  readonly settings: string;
}

/** Statements for one session. */
export interface FromFile {
  /** Run one after the other. */
  readonly steps: readonly string[];
  /** Run after them in any case. */
  readonly finally: string | undefined;
}

/** Anything else: a small result or none. */
export interface PlainStatement extends Common {
  /** `session`: SET and USE, which change nothing beyond their session. */
  readonly kind: "read" | "write" | "session";
  readonly format: string | undefined;
  /** It may leave something in its session: a temporary table, settings, a transaction. */
  readonly isSessionBound: boolean;
}

/** KILL QUERY, which also has to reach requests that the engine has not seen yet. */
export interface KillStatement extends Common {
  readonly kind: "kill";
  readonly condition: string;
  readonly mode: "ASYNC" | "SYNC" | "TEST";
  readonly format: string | undefined;
}
