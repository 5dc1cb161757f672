import { isUtf8 } from "node:buffer";
import { formatSize } from "../base/units.js";

/** A physical line that holds no readable text. */
export class BadLine {
  /** Why, as a person reads it. */
  readonly reason: string;
  /** The bytes, or the first {@link HEAD_BYTES} of a line over the limit. */
  readonly raw: Buffer;

  constructor(reason: string, raw: Buffer) {
    this.reason = reason;
    this.raw = raw;
  }
}

/** One physical line without its newline; a carriage return before it is kept. */
export type Line = string | BadLine;

/** What is kept of a line over the limit: enough to recognise it. */
const HEAD_BYTES = 1024;
const NEWLINE = 0x0a;
const BYTE_ORDER_MARK = "\ufeff";

/**
 * Cuts bytes into lines. Holds one line at most, and of a line over `maxBytes` only its first bytes, so memory stays
 * flat whatever comes. Text is UTF-8; a line that is not becomes a {@link BadLine}, never replacement characters.
 */
export class LineSplitter {
  readonly #maxBytes: number;
  /** The unfinished line. */
  #parts: Buffer[] = [];
  /** Its bytes so far, those no longer held included. */
  #length = 0;
  #atStart = true;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** The lines that the chunk completes. */
  push(chunk: Buffer): Line[] {
    const lastEnd = chunk.lastIndexOf(NEWLINE);
    if (lastEnd < 0) {
      this.#extend(chunk);
      return [];
    }
    const lines: Line[] = [];
    let from = 0;
    if (this.#length > 0) {
      const end = chunk.indexOf(NEWLINE);
      this.#extend(chunk.subarray(0, end));
      lines.push(this.#finish());
      from = end + 1;
    }
    if (from <= lastEnd) this.#split(chunk.subarray(from, lastEnd), lines);
    this.#extend(chunk.subarray(lastEnd + 1));
    return this.#withoutMark(lines);
  }

  /** The last line, if it has no newline. */
  end(): Line[] {
    return this.#length === 0 ? [] : this.#withoutMark([this.#finish()]);
  }

  #extend(bytes: Buffer): void {
    if (bytes.length === 0) return;
    const wasOver = this.#length > this.#maxBytes;
    this.#length += bytes.length;
    if (wasOver) return;
    this.#parts.push(bytes);
    if (this.#length > this.#maxBytes) {
      // A copy, so that the chunks it came in are let go.
      this.#parts = [Buffer.from(this.#head(Buffer.concat(this.#parts)))];
    }
  }

  #finish(): Line {
    const bytes = this.#parts.length === 1 ? this.#parts[0]! : Buffer.concat(this.#parts);
    const line = this.#length > this.#maxBytes ? this.#tooLong(bytes) : decode(bytes);
    this.#parts = [];
    this.#length = 0;
    return line;
  }

  /** Whole lines at once when nothing can be wrong with any of them, else one by one. */
  #split(bytes: Buffer, lines: Line[]): void {
    if (bytes.length <= this.#maxBytes && isUtf8(bytes)) {
      for (const line of bytes.toString("utf8").split("\n")) lines.push(line);
      return;
    }
    for (let from = 0; from <= bytes.length; ) {
      const found = bytes.indexOf(NEWLINE, from);
      const end = found < 0 ? bytes.length : found;
      const line = bytes.subarray(from, end);
      lines.push(line.length > this.#maxBytes ? this.#tooLong(line) : decode(line));
      from = end + 1;
    }
  }

  #tooLong(line: Buffer): BadLine {
    return new BadLine(`is longer than ${formatSize(this.#maxBytes)}`, this.#head(line));
  }

  #head(line: Buffer): Buffer {
    return line.subarray(0, Math.min(HEAD_BYTES, this.#maxBytes));
  }

  #withoutMark(lines: Line[]): Line[] {
    if (this.#atStart && typeof lines[0] === "string" && lines[0].startsWith(BYTE_ORDER_MARK)) {
      lines[0] = lines[0].slice(1);
    }
    this.#atStart = false;
    return lines;
  }
}

function decode(bytes: Buffer): Line {
  return isUtf8(bytes) ? bytes.toString("utf8") : new BadLine("is not valid UTF-8", bytes);
}
