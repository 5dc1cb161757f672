import { SECOND_MS } from "../base/units.js";
import type { SourceFile } from "./source-file.js";

/** How far an ingest has come, all files together. */
export interface IngestProgress {
  /** The file being read. */
  readonly file: string;
  /** Bytes read of the files as they are on disk, compressed ones compressed. */
  readonly bytes: number;
  /** Bytes of all files; undefined if that cannot be known. */
  readonly totalBytes: number | undefined;
  /** Records read. */
  readonly rows: number;
  readonly rowsPerSecond: number;
  /** Seconds until the last byte is read, at the speed so far. */
  readonly etaSeconds: number | undefined;
}

const INTERVAL_MS = 200;

/** Tells the progress, a few times a second at most. */
export class ProgressMeter {
  readonly #totalBytes: number | undefined;
  readonly #listener: ((progress: IngestProgress) => void) | undefined;
  readonly #startedAt: number = performance.now();
  #toldAt = 0;
  /** Of files that are over. */
  #bytes = 0;
  #rows = 0;

  constructor(
    totalBytes: number | undefined,
    { onProgress }: { readonly onProgress?: ((progress: IngestProgress) => void) | undefined },
  ) {
    this.#totalBytes = totalBytes;
    this.#listener = onProgress;
  }

  /** The file being read has given so many rows. */
  tick(source: SourceFile, rows: number): void {
    if (this.#listener === undefined || performance.now() - this.#toldAt < INTERVAL_MS) return;
    this.#tell(source, rows);
  }

  /** The file is over. */
  endFile(source: SourceFile, rows: number): void {
    this.#bytes += source.bytesRead();
    this.#rows += rows;
  }

  #tell(source: SourceFile, rowsOfFile: number): void {
    const now = performance.now();
    this.#toldAt = now;
    const bytes = this.#bytes + source.bytesRead();
    const rows = this.#rows + rowsOfFile;
    const seconds = (now - this.#startedAt) / SECOND_MS;
    const total = this.#totalBytes;
    this.#listener!({
      file: source.path,
      bytes,
      totalBytes: total,
      rows,
      rowsPerSecond: Math.round(rows / seconds),
      etaSeconds: total === undefined || bytes === 0 ? undefined : ((total - bytes) / bytes) * seconds,
    });
  }
}
