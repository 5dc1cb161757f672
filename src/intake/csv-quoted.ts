import type { CsvDialect, CsvFields } from "./csv-fields.js";
import { LineError } from "./line-error.js";

/** One CSV record with quotes in it, read line by line because quoted fields may hold newlines. */
export class QuotedRecord {
  /** Number of its first line. */
  readonly line: number;
  /** The lines added so far. */
  readonly lines: string[] = [];
  /** Their length. */
  chars = 0;
  readonly #dialect: CsvDialect;
  readonly #texts: string[] = [];
  readonly #quotedEmpty: number[] = [];
  /** The quoted field that the last line left open. */
  #field: string | undefined;

  constructor(line: number, dialect: CsvDialect) {
    this.line = line;
    this.#dialect = dialect;
  }

  /** Reads one more line: the fields if it ends the record, undefined if it leaves a quoted field open. */
  add(line: string): CsvFields | LineError | undefined {
    this.lines.push(line);
    this.chars += line.length + 1;
    const { delimiter, quote } = this.#dialect;
    // A carriage return belongs to the newline, which is data inside quotes.
    const text = line.endsWith("\r") ? line.slice(0, -1) : line;
    const newline = text.length === line.length ? "\n" : "\r\n";
    let at = 0;
    for (;;) {
      if (this.#field !== undefined || text.startsWith(quote, at)) {
        at = this.#quoted(text, this.#field === undefined ? at + 1 : at, newline);
        if (at < 0) return undefined;
      } else {
        const found = text.indexOf(delimiter, at);
        const end = found < 0 ? text.length : found;
        const field = text.slice(at, end);
        if (field.includes(quote)) return new LineError("has a quote inside a field without quotes", field);
        this.#texts.push(field);
        at = end;
      }
      if (at === text.length) return { texts: this.#texts, quotedEmpty: this.#quotedEmpty };
      if (!text.startsWith(delimiter, at))
        return new LineError("has text after a closing quote", text.slice(at));
      at += 1;
    }
  }

  /** Reads on in a quoted field from `at`; gives the place after its closing quote, or -1 if the line ends before. */
  #quoted(text: string, at: number, newline: string): number {
    const { quote } = this.#dialect;
    let field = this.#field ?? "";
    for (let from = at; ; ) {
      const end = text.indexOf(quote, from);
      if (end < 0) {
        this.#field = field + text.slice(from) + newline;
        return -1;
      }
      field += text.slice(from, end);
      if (!text.startsWith(quote, end + 1)) {
        if (field === "") this.#quotedEmpty.push(this.#texts.length);
        this.#texts.push(field);
        this.#field = undefined;
        return end + 1;
      }
      field += quote;
      from = end + 2;
    }
  }
}
