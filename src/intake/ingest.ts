import { stat } from "node:fs/promises";
import type { Readable } from "node:stream";
import { sleep, systemClock } from "../base/clock.js";
import { ColdpathError, type ErrorCode, messageOf } from "../base/errors.js";
import { MIB, SECOND_MS } from "../base/units.js";
import type { ClickHouse } from "../clickhouse/client.js";
import { FileIngest, type Format } from "./ingest-file.js";
import type { IngestTarget, IngestWriter } from "./ingest-target.js";
import { keepNote } from "./keep-note.js";
import { loadMapping } from "./mapping/load.js";
import type { Mapping } from "./mapping/schema.js";
import type { Normaliser } from "./normalise/normaliser.js";
import { type IngestProgress, ProgressMeter } from "./progress.js";
import type { Rejection } from "./rejections.js";
import { openSource, type SourceFile } from "./source-file.js";
import { type RowsOfSource, StoredLines, storedNow } from "./stored-lines.js";
import { unlessAborted } from "./unless-aborted.js";

export interface IngestOptions {
  readonly recorder: IngestTarget;
  /** Where the recorder stores, to be asked what is stored already. */
  readonly clickhouse: ClickHouse;
  readonly table: string;
  /** Read one after the other; `-` is standard input. */
  readonly files: readonly string[];
  /** Default: the mapping's, else told by each file's name. */
  readonly format?: Format | undefined;
  /** Path of a mapping file. Without one, the source's columns are the table's. */
  readonly mapping?: string | undefined;
  /** For files of the recorder's own: their rows are as producers gave them. */
  readonly normaliser?: Normaliser;
  /** Identity of the rows in place of the file's; with several files, `NAME/<base name>`. */
  readonly sourceName?: string | undefined;
  /** Bytes of the longest line taken. Default 1 MiB. */
  readonly maxLineBytes?: number | undefined;
  /** When it aborts, reading ends, and what was read is stored. */
  readonly signal?: AbortSignal | undefined;
  /** How long what was read may still be stored after the signal aborted. Default 10 s. */
  readonly abortedFlushMs?: number | undefined;
  readonly onProgress?: ((progress: IngestProgress) => void) | undefined;
  /** What `-` reads. Default: the process's standard input. */
  readonly stdin?: Readable | undefined;
}

/** What became of one file. `rows = stored + alreadyStored + rejected + lost`. */
export interface FileReport {
  readonly file: string;
  /** First half of its rows' identity (source, line); empty if it could not be opened. */
  readonly source: string;
  /** Records read. */
  readonly rows: number;
  readonly stored: number;
  readonly alreadyStored: number;
  readonly rejected: number;
  /** Rejected rows by reason, most frequent first. */
  readonly reasons: Readonly<Record<string, number>>;
  /** The first rejected rows. */
  readonly rejections: readonly Rejection[];
  /** Rows taken that ClickHouse did not store, or is not known to have stored; `notes` says why. */
  readonly lost: number;
  /** Time spent reading. */
  readonly seconds: number;
  /** Why the file was not read to its end. */
  readonly error?: { readonly code: ErrorCode; readonly message: string };
  readonly notes: readonly string[];
}

export interface IngestReport {
  readonly table: string;
  readonly files: readonly FileReport[];
  readonly rows: number;
  readonly stored: number;
  readonly alreadyStored: number;
  readonly rejected: number;
  readonly lost: number;
  /** From the first byte until every row was stored. */
  readonly seconds: number;
  readonly rowsPerSecond: number;
  /** True if the signal ended it. */
  readonly interrupted: boolean;
}

const ABORTED_FLUSH_MS: number = 10 * SECOND_MS;
const DEFAULT_MAX_LINE_BYTES: number = MIB;
/** Faults of one file, which do not keep others from being read. */
const FILE_ERRORS: ReadonlySet<ErrorCode> = new Set([
  "INPUT_UNREADABLE",
  "INPUT_REJECTED",
  "MAPPING_INVALID",
]);

/**
 * Reads files into a table, in order, and resolves when every row's fate is known. A file's fault is told in its report
 * and does not keep the others from being read.
 *
 * @throws ColdpathError TABLE_UNKNOWN, MAPPING_INVALID (before a file is opened), and what ClickHouse answers when it is
 * asked which lines are stored already.
 */
export async function ingestFiles(options: IngestOptions): Promise<IngestReport> {
  const startedAt = performance.now();
  const { recorder, table, files, signal } = options;
  const writer = recorder.table(table);
  const mapping = options.mapping === undefined ? undefined : loadMapping(options.mapping, writer.table);
  const ingest = new Ingest(options, writer, mapping, new ProgressMeter(await totalBytes(files), options));
  const runs: FileRun[] = [];
  try {
    for (const file of files) {
      if (signal?.aborted === true) break;
      runs.push(await ingest.file(file));
    }
  } finally {
    await ingest.flush();
  }
  const reports: FileReport[] = [];
  for (const run of runs) reports.push(await ingest.report(run));
  const seconds = (performance.now() - startedAt) / SECOND_MS;
  const sum = (of: (report: FileReport) => number): number =>
    reports.reduce((total, report) => total + of(report), 0);
  const rows = sum((report) => report.rows);
  return {
    table,
    files: reports,
    rows,
    stored: sum((report) => report.stored),
    alreadyStored: sum((report) => report.alreadyStored),
    rejected: sum((report) => report.rejected),
    lost: sum((report) => report.lost),
    seconds,
    rowsPerSecond: Math.round(rows / seconds),
    interrupted: signal?.aborted === true,
  };
}

/** A file that was read, or could not be. */
interface FileRun {
  readonly file: string;
  readonly source: SourceFile | undefined;
  readonly ingest: FileIngest | undefined;
  readonly seconds: number;
  readonly error: ColdpathError | undefined;
}

class Ingest {
  readonly #options: IngestOptions;
  readonly #writer: IngestWriter;
  readonly #mapping: Mapping | undefined;
  readonly #meter: ProgressMeter;
  readonly #signal: AbortSignal;
  readonly #sourcesRead = new Set<string>();
  /** Said once: it is about the table. */
  #keepTold = false;
  /** False while the fate of some rows is open. */
  #isFlushed = false;

  constructor(
    options: IngestOptions,
    writer: IngestWriter,
    mapping: Mapping | undefined,
    meter: ProgressMeter,
  ) {
    this.#options = options;
    this.#writer = writer;
    this.#mapping = mapping;
    this.#meter = meter;
    this.#signal = options.signal ?? new AbortController().signal;
  }

  async file(file: string): Promise<FileRun> {
    const startedAt = performance.now();
    let source: SourceFile | undefined;
    let ingest: FileIngest | undefined;
    let error: ColdpathError | undefined;
    const { stdin } = this.#options;
    try {
      source = await openSource({ path: file, source: this.#sourceName(file), stdin, signal: this.#signal });
      ingest = await this.#prepare(source);
      await ingest.run();
    } catch (caught) {
      // What an abort cuts off is no fault of the file.
      if (!this.#signal.aborted) error = asFileError(caught);
    } finally {
      source?.close();
    }
    if (source !== undefined) this.#meter.endFile(source, ingest?.rows ?? 0);
    return { file, source, ingest, seconds: (performance.now() - startedAt) / SECOND_MS, error };
  }

  async #prepare(source: SourceFile): Promise<FileIngest> {
    const { recorder, maxLineBytes } = this.#options;
    const writer = this.#writer;
    // The same content again, in this run or from an earlier start's log: it must be stored before anybody asks for it.
    await unlessAborted(recorder.replayed(writer.table.name), this.#signal);
    if (this.#sourcesRead.has(source.source)) await unlessAborted(recorder.flush(), this.#signal);
    this.#sourcesRead.add(source.source);
    const stored = await StoredLines.open({ ...this.#rowsOf(source), signal: this.#signal });
    const ingest: FileIngest = new FileIngest({
      source,
      writer,
      format: this.#formatOf(source),
      mapping: this.#mapping,
      normaliser: this.#options.normaliser?.of(writer.table.name),
      maxLineBytes: maxLineBytes ?? DEFAULT_MAX_LINE_BYTES,
      stored,
      signal: this.#signal,
      onProgress: () => this.#meter.tick(source, ingest.rows),
    });
    return ingest;
  }

  /** Resolves when the fate of every row taken is known; after an abort, also when the time for that is over. */
  async flush(): Promise<void> {
    const { recorder, abortedFlushMs = ABORTED_FLUSH_MS } = this.#options;
    const flushed = recorder.flush().then(() => {
      this.#isFlushed = true;
    });
    await unlessAborted(flushed, this.#signal);
    if (this.#isFlushed) return;
    const waited = new AbortController();
    const limit = sleep(systemClock, abortedFlushMs, waited.signal).catch(() => {});
    await Promise.race([flushed, limit]);
    waited.abort();
  }

  /** Call after {@link flush}. */
  async report({ file, source, ingest, seconds, error }: FileRun): Promise<FileReport> {
    const { fates, rejections } = ingest ?? {};
    const taken = fates?.taken ?? 0;
    const isKnown = this.#isFlushed;
    if (isKnown) await fates?.settled();
    // A batch that failed, and what was handed over, leave it open which of the rows are stored; then ClickHouse is asked.
    const isOpen = taken > 0 && (fates?.failure !== undefined || this.#options.recorder.handsOver === true);
    const stored =
      isOpen && isKnown
        ? (await storedNow(this.#rowsOf(source!))).rows - ingest!.storedBefore
        : (fates?.stored ?? 0);
    const notes: string[] = [];
    if (ingest?.rows === 0 && error === undefined) notes.push("holds no rows");
    if (source?.repeatable === false)
      notes.push("has no name: reading it again stores it again; --source names it");
    if (!isKnown && taken > stored)
      notes.push(`${taken - stored} rows were not known to be stored when it ended: run it again`);
    else if (fates?.failure !== undefined)
      notes.push(`${taken - stored} rows were not stored: ${fates.failure}`);
    if (isKnown && source !== undefined && stored > 0 && !this.#keepTold) {
      const note = await keepNote(this.#options.clickhouse, this.#writer.table, source.source);
      if (note !== undefined) {
        notes.push(note);
        this.#keepTold = true;
      }
    }
    return {
      file,
      source: source?.source ?? "",
      rows: ingest?.rows ?? 0,
      stored,
      alreadyStored: ingest?.alreadyStored ?? 0,
      rejected: rejections?.rows ?? 0,
      reasons: rejections?.reasons ?? {},
      rejections: rejections?.first ?? [],
      lost: taken - stored,
      seconds,
      ...(error === undefined ? {} : { error: { code: error.code, message: messageOf(error) } }),
      notes,
    };
  }

  #rowsOf({ source }: SourceFile): RowsOfSource {
    return { clickhouse: this.#options.clickhouse, table: this.#writer.table, source };
  }

  #sourceName(file: string): string | undefined {
    const { sourceName, files } = this.#options;
    if (sourceName === undefined || files.length === 1) return sourceName;
    return `${sourceName}/${file === "-" ? "stdin" : file.replace(/^.*\//, "").replace(/\.gz$/i, "")}`;
  }

  #formatOf({ name, path }: SourceFile): Format {
    const said = this.#options.format ?? this.#mapping?.format;
    if (said !== undefined) return said;
    if (/\.csv$/i.test(name)) return "csv";
    if (/\.(ndjson|jsonl)$/i.test(name)) return "ndjson";
    throw new ColdpathError(
      "INPUT_UNREADABLE",
      `${path}: its name does not tell the format; say --format csv or ndjson`,
    );
  }
}

/** The error as a fault of one file. @throws it if it is none. */
function asFileError(error: unknown): ColdpathError {
  if (error instanceof ColdpathError && FILE_ERRORS.has(error.code)) return error;
  throw error;
}

/** Bytes on disk of all files together; undefined if one is no plain file. */
async function totalBytes(files: readonly string[]): Promise<number | undefined> {
  let total = 0;
  for (const file of files) {
    // A missing file is reported when its turn comes.
    const stats = file === "-" ? undefined : await stat(file).catch(() => undefined);
    if (file === "-" || (stats !== undefined && !stats.isFile())) return undefined;
    total += stats?.size ?? 0;
  }
  return total;
}
