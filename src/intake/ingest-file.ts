import { ColdpathError } from "../base/errors.js";
import type { Row } from "../native/block.js";
import { CsvReader } from "./csv.js";
import type { CsvFields } from "./csv-fields.js";
import { Fates } from "./fates.js";
import { givenDoubles } from "./given-doubles.js";
import type { IngestWriter } from "./ingest-target.js";
import { LineError } from "./line-error.js";
import { LineSplitter } from "./lines.js";
import { columnIssues } from "./mapping/check.js";
import { compileMapping, type RowMaker } from "./mapping/compile.js";
import { partsOfName } from "./mapping/file-name.js";
import { MappingError } from "./mapping/mapping-error.js";
import type { Mapping } from "./mapping/schema.js";
import { NdjsonReader } from "./ndjson.js";
import type { GivenRow, TableNormaliser } from "./normalise/table-normaliser.js";
import { DEFAULT_DIALECT, plainMapping, plainRows } from "./plain-rows.js";
import type { ReadRecord, RecordReader } from "./record-reader.js";
import { asRowError, Rejections, type RowError } from "./rejections.js";
import type { SourceFile } from "./source-file.js";
import type { StoredLines } from "./stored-lines.js";
import { unlessAborted } from "./unless-aborted.js";

export type Format = "csv" | "ndjson";

export interface FileIngestOptions {
  readonly source: SourceFile;
  readonly writer: IngestWriter;
  readonly format: Format;
  readonly mapping: Mapping | undefined;
  /** For rows as producers give them, in a file of the recorder's own. */
  readonly normaliser: TableNormaliser | undefined;
  readonly maxLineBytes: number;
  readonly stored: StoredLines;
  readonly signal: AbortSignal;
  /** Called after each piece of the file. */
  readonly onProgress: () => void;
}

/** Turns one file into rows of one table. */
export class FileIngest {
  readonly rejections: Rejections = new Rejections();
  readonly fates: Fates = new Fates();
  /** Records read, the rejected and the already stored included. */
  rows = 0;
  alreadyStored = 0;
  /** Rows of this source that were there before. */
  readonly storedBefore: number;
  readonly #options: FileIngestOptions;
  readonly #reader: RecordReader;
  readonly #lines: LineSplitter;
  #makeRow: RowMaker | undefined;
  /** Line of the last record. */
  #line = 0;

  constructor(options: FileIngestOptions) {
    const { format, mapping, normaliser, maxLineBytes, writer } = options;
    this.#options = options;
    this.storedBefore = options.stored.rows;
    this.#lines = new LineSplitter(maxLineBytes);
    this.#reader =
      format === "csv" ? new CsvReader(mapping?.csv ?? DEFAULT_DIALECT, maxLineBytes) : new NdjsonReader();
    if (format === "ndjson") {
      this.#makeRow =
        mapping !== undefined
          ? this.#compile(mapping, undefined)
          : normaliser === undefined
            ? plainRows(writer.table)
            : givenDoubles(plainRows(writer.table, normaliser.keys));
    } else if (mapping?.csv.columns !== undefined) {
      this.#makeRow = this.#compile(mapping, mapping.csv.columns);
    }
  }

  /**
   * Reads to the end of the file, or until the signal aborts. Rows are taken, not yet stored.
   *
   * @throws ColdpathError INPUT_UNREADABLE, INPUT_REJECTED or MAPPING_INVALID; every whole line before the fault has been
   * taken.
   */
  async run(): Promise<void> {
    const { source, signal, onProgress } = this.#options;
    try {
      for await (const chunk of source.content) {
        await this.#take(this.#reader.read(this.#lines.push(chunk)));
        onProgress();
        if (signal.aborted) return;
      }
    } catch (error) {
      // What is left unfinished now may be half a line that would pass for a row with half a number: it is left out.
      if (!(error instanceof ColdpathError) || error.code !== "INPUT_UNREADABLE") throw error;
      const reached = this.#line === 0 ? "no line was read" : `lines up to ${this.#line} were read`;
      throw new ColdpathError("INPUT_UNREADABLE", `${error.message}; ${reached}`, { cause: error });
    }
    await this.#take(this.#reader.read(this.#lines.end()));
    await this.#take(this.#reader.end());
  }

  async #take(records: ReadRecord[]): Promise<void> {
    const { writer, stored, signal } = this.#options;
    let from = 0;
    if (this.#makeRow === undefined && records.length > 0) {
      this.#makeRow = this.#readHeader(records[0]!);
      from = 1;
    }
    const first = records[from];
    if (first === undefined) return;
    await stored.learn(first.line, records.at(-1)!.line);
    const keeping: Promise<void>[] = [];
    try {
      for (let index = from; index < records.length; index += 1) {
        const record = records[index]!;
        const made = this.#rowOf(record);
        if (stored.has(record.line)) {
          this.#passStored(record, made);
          this.alreadyStored += 1;
        } else if (made instanceof Error) {
          keeping.push(this.#reject(record, made));
        } else {
          // A file can wait, so none of its rows is ever dropped for want of room.
          while (!signal.aborted && (writer.full || !this.#offer(record, made, keeping))) {
            await unlessAborted(writer.room(), signal);
          }
        }
        if (signal.aborted) break;
        this.rows += 1;
        this.#line = record.line;
      }
    } finally {
      await Promise.all(keeping);
    }
  }

  /**
   * A file of the recorder's own has a name that no other has; but rows after this one may build on it.
   * @throws ColdpathError INPUT_REJECTED
   */
  #passStored(record: ReadRecord, made: Row | RowError): void {
    const { normaliser } = this.#options;
    if (normaliser === undefined) this.#requireSame(record, made);
    else if (!(made instanceof Error)) {
      try {
        normaliser.normalise(made as GivenRow);
        normaliser.taken(made as GivenRow);
      } catch (error) {
        // What it says is stored, so it was said in full when it was taken: with steps that are not known any more.
        asRowError(error);
      }
    }
  }

  /** @throws ColdpathError INPUT_REJECTED if the line is seen to hold another row than the one stored. */
  #requireSame({ line }: ReadRecord, made: Row | RowError): void {
    const { source, stored } = this.#options;
    const other = made instanceof Error ? made.message : stored.difference(line, made);
    if (other === undefined) return;
    const what = made instanceof Error ? other : `column ${other} has another value`;
    throw new ColdpathError(
      "INPUT_REJECTED",
      `${source.path}: line ${line} is stored already as line ${line} of ${source.source}, but ${what}: this is another ` +
        "file, or was read with another mapping; --source NAME records it as a source of its own",
    );
  }

  /** Also called for rows that are stored already: days that roll over depend on every row before. */
  #rowOf({ value }: ReadRecord): Row | RowError {
    if (value instanceof LineError) return value;
    try {
      return this.#makeRow!(value);
    } catch (error) {
      return asRowError(error);
    }
  }

  /** False if there was no room for the row. */
  #offer(record: ReadRecord, row: Row, keeping: Promise<void>[]): boolean {
    const { writer, source, normaliser } = this.#options;
    try {
      normaliser?.normalise(row as GivenRow);
      const ticket = writer.offerWhole(row, { source: source.source, seq: record.line });
      if (ticket === undefined) return false;
      normaliser?.taken(row as GivenRow);
      this.fates.add(ticket);
    } catch (error) {
      keeping.push(this.#reject(record, asRowError(error)));
    }
    return true;
  }

  #reject({ line, raw }: ReadRecord, error: RowError): Promise<void> {
    this.rejections.add(line, error);
    const origin = { source: this.#options.source.source, seq: line };
    return this.#options.writer.rejected(raw, error, origin);
  }

  #readHeader({ value }: ReadRecord): RowMaker {
    const { source, mapping, writer } = this.#options;
    if (value instanceof LineError) {
      throw new ColdpathError("INPUT_UNREADABLE", `${source.path}: its header ${value.message}`);
    }
    const header = (value as CsvFields).texts;
    if (mapping !== undefined) return this.#compile(mapping, header);
    const issues = columnIssues(header, writer.table);
    if (issues.length > 0) throw new MappingError(`the header of ${source.path}`, issues);
    return this.#compile(plainMapping(header), header);
  }

  #compile(mapping: Mapping, header: readonly string[] | undefined): RowMaker {
    const { source, writer } = this.#options;
    return compileMapping(mapping, writer.table, {
      shape:
        header === undefined ? { format: "ndjson" } : { format: "csv", header, missing: mapping.csv.missing },
      parts: partsOfName(mapping, source.name),
      path: source.path,
    });
  }
}
