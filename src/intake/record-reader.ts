import type { LineError } from "./line-error.js";
import type { Line } from "./lines.js";
import type { SourceRecord } from "./mapping/record.js";

/** A record of a file, or the fault that stands in its place. */
export interface ReadRecord {
  /** Number of its first physical line, from 1. */
  readonly line: number;
  /** The bytes as they came, without the last newline; only the first of a line over the limit. */
  readonly raw: string | Buffer;
  readonly value: SourceRecord | LineError;
}

/** Makes records of a file's lines, which come in order and all of them. */
export interface RecordReader {
  /** The records that these next lines complete. */
  read(lines: readonly Line[]): ReadRecord[];
  /** What the end of the file completes. */
  end(): ReadRecord[];
}
