import type { CsvDialect } from "./csv-fields.js";
import { QuotedRecord } from "./csv-quoted.js";
import { LineError } from "./line-error.js";
import { BadLine, type Line } from "./lines.js";
import type { ReadRecord, RecordReader } from "./record-reader.js";

const NO_INDEXES: readonly number[] = [];

/**
 * Lines to CSV records by RFC 4180: quotes around a whole field, doubled inside it; a quoted field may hold delimiters
 * and newlines. Blank lines are no records. A fault (text beside a quoted field, a quote that does not close within
 * `maxChars`, an unreadable line inside) costs the record's first line, and reading goes on with the next one, so a
 * stray quote never swallows the rest of a file.
 *
 * Not a library, because the common case is one `split`: csv-parse took nine times as long, and it neither knows physical
 * lines nor goes on after a fault.
 */
export class CsvReader implements RecordReader {
  readonly #dialect: CsvDialect;
  readonly #maxChars: number;
  #nextLine = 1;
  #open: QuotedRecord | undefined;

  constructor(dialect: CsvDialect, maxChars: number) {
    this.#dialect = dialect;
    this.#maxChars = maxChars;
  }

  read(lines: readonly Line[]): ReadRecord[] {
    const records: ReadRecord[] = [];
    for (const line of lines) this.#take(line, this.#nextLine++, records);
    return records;
  }

  end(): ReadRecord[] {
    const records: ReadRecord[] = [];
    if (this.#open !== undefined) this.#fail(this.#open, unclosed("before the end of the file"), records);
    return records;
  }

  #take(line: Line, number: number, records: ReadRecord[]): void {
    const open = this.#open;
    if (line instanceof BadLine) {
      if (open !== undefined) this.#fail(open, unclosed("before an unreadable line"), records);
      records.push({ line: number, raw: line.raw, value: new LineError(line.reason) });
    } else if (open !== undefined || line.includes(this.#dialect.quote)) {
      this.#takeQuoted(open ?? new QuotedRecord(number, this.#dialect), line, records);
    } else {
      const text = line.endsWith("\r") ? line.slice(0, -1) : line;
      if (text === "") return;
      const value = { texts: text.split(this.#dialect.delimiter), quotedEmpty: NO_INDEXES };
      records.push({ line: number, raw: line, value });
    }
  }

  #takeQuoted(record: QuotedRecord, line: string, records: ReadRecord[]): void {
    const result = record.add(line);
    if (result instanceof LineError) {
      this.#fail(record, result, records);
    } else if (result !== undefined) {
      this.#open = undefined;
      records.push({ line: record.line, raw: record.lines.join("\n"), value: result });
    } else if (record.chars > this.#maxChars) {
      this.#fail(record, unclosed(`within ${this.#maxChars} characters`), records);
    } else {
      this.#open = record;
    }
  }

  /**
   * Gives up the record's first line and takes the others afresh. None of those can leave a record open again: it had
   * an even number of quotes, else it would have closed this one.
   */
  #fail(record: QuotedRecord, error: LineError, records: ReadRecord[]): void {
    this.#open = undefined;
    const [first, ...others] = record.lines;
    records.push({ line: record.line, raw: first!, value: error });
    others.forEach((line, index) => {
      this.#take(line, record.line + 1 + index, records);
    });
  }
}

function unclosed(where: string): LineError {
  return new LineError("has a quote that does not close", where);
}
