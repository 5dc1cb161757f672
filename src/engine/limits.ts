import { GIB, KIB, MIB, MINUTE_MS } from "../base/units.js";

/** What one caller may take of the engine, so that the others keep their share. */
export interface EngineLimits {
  /** Bytes of memory of one statement, whoever runs it. */
  readonly queryMemory: number;
  /** Bytes of a statement's text, without the data of an INSERT. */
  readonly statement: number;
  /** Bytes on disk of all bodies on their way in; one body may hold as much as is still free. */
  readonly incoming: number;
  readonly reader: ReaderLimits;
}

/**
 * Bytes of a statement without the password, as the engine's `max_query_size` has it. Looking through one takes the time
 * of the one thread that serves everybody, a second for each mebibyte of brackets.
 */
export const READER_STATEMENT_MAX: number = 256 * KIB;

/** For whoever gives no password. */
interface ReaderLimits {
  /** Whether anybody may read without the password. */
  readonly enabled: boolean;
  /** Milliseconds that a statement may run. */
  readonly maxTimeMs: number;
  /** Bytes of a result, as it is sent. */
  readonly maxResult: number;
}

export const DEFAULT_LIMITS: EngineLimits = {
  queryMemory: GIB,
  statement: MIB,
  incoming: 8 * GIB,
  reader: { enabled: true, maxTimeMs: 5 * MINUTE_MS, maxResult: 4 * GIB },
};
