import { createHash, randomBytes } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";
import { basename } from "node:path";
import type { Readable } from "node:stream";
import { ColdpathError, messageOf } from "../base/errors.js";
import { KIB } from "../base/units.js";
import { gunzip } from "./gunzip.js";
import { ReadAhead } from "./read-ahead.js";

/** A file, or standard input, opened for reading. */
export interface SourceFile {
  /** As the caller named it; `-` is standard input. */
  readonly path: string;
  /** Base name without `.gz`; `stdin` for standard input. */
  readonly name: string;
  /** First half of the identity (source, line) of its rows. */
  readonly source: string;
  /** False if the identity will be another one next time, so that reading it again stores it again. */
  readonly repeatable: boolean;
  /** Size on disk, compressed if the file is; undefined if it is not known. */
  readonly totalBytes: number | undefined;
  /** Bytes read so far, compressed if the file is. */
  bytesRead(): number;
  /** Its content, decompressed. @throws ColdpathError INPUT_UNREADABLE where it cannot be read on. */
  readonly content: AsyncIterable<Buffer>;
  /** Lets go of the file, also while it is being read. */
  close(): void;
}

export interface SourceOptions {
  readonly path: string;
  /** Identity in place of the one made from name and content. */
  readonly source?: string | undefined;
  /** What `-` reads. */
  readonly stdin?: Readable | undefined;
  /** When it aborts, the file is let go. */
  readonly signal: AbortSignal;
}

/** Start of the content that goes into the identity: enough to tell two files of one name apart. */
const IDENTITY_BYTES: number = 4 * KIB;
const GZIP_MAGIC: Buffer = Buffer.from([0x1f, 0x8b]);
const UTF16_MARK_BYTES = 2;
const UTF16_MARKS: readonly Buffer[] = [Buffer.from([0xff, 0xfe]), Buffer.from([0xfe, 0xff])];

/**
 * Opens a file. Compression is told by its first bytes, not by its name; a compressed file and its plain text have the
 * same identity.
 *
 * @throws ColdpathError INPUT_UNREADABLE if it cannot be opened or is no text in UTF-8.
 */
export async function openSource(options: SourceOptions): Promise<SourceFile> {
  const { path, signal } = options;
  const isStdin = path === "-";
  const { stream, totalBytes } = isStdin ? standardInput(options.stdin) : await openFile(path);
  // Also ends a read that waits for bytes that never come.
  const close = (): void => {
    signal.removeEventListener("abort", close);
    stream.destroy();
  };
  signal.addEventListener("abort", close);
  let bytesRead = 0;
  async function* counted(): AsyncGenerator<Buffer> {
    for await (const chunk of stream) {
      bytesRead += (chunk as Buffer).length;
      yield chunk as Buffer;
    }
  }
  const raw = new ReadAhead(counted());
  const compressed = (await raw.peek(GZIP_MAGIC.length)).equals(GZIP_MAGIC);
  const content = new ReadAhead(compressed ? gunzip(raw) : raw);
  async function* readable(): AsyncGenerator<Buffer> {
    try {
      yield* content;
    } catch (error) {
      const what = compressed ? "broken or truncated gzip" : "cannot be read on";
      throw unreadable(path, `${what} after ${bytesRead} bytes (${messageOf(error)})`, error);
    }
  }
  const mark = await content.peek(UTF16_MARK_BYTES);
  if (UTF16_MARKS.some((each) => each.equals(mark))) {
    close();
    throw unreadable(path, "is UTF-16; convert it to UTF-8, for example with iconv -f UTF-16 -t UTF-8");
  }
  const name = isStdin ? "stdin" : basename(path).replace(/\.gz$/i, "");
  return {
    path,
    name,
    source: options.source ?? `${name}#${isStdin ? randomBytes(6).toString("hex") : await digest(content)}`,
    repeatable: !isStdin || options.source !== undefined,
    totalBytes,
    bytesRead: () => bytesRead,
    content: readable(),
    close,
  };
}

/** Tells contents apart by their beginnings. */
async function digest(content: ReadAhead): Promise<string> {
  const head = await content.peek(IDENTITY_BYTES);
  return createHash("sha256").update(head).digest("hex").slice(0, 12);
}

interface Opened {
  readonly stream: Readable;
  readonly totalBytes: number | undefined;
}

function standardInput(stdin: Readable | undefined): Opened {
  return { stream: stdin ?? process.stdin, totalBytes: undefined };
}

async function openFile(path: string): Promise<Opened> {
  let file: FileHandle | undefined;
  try {
    file = await open(path);
    const stats = await file.stat();
    if (stats.isDirectory()) throw new Error("is a folder");
    return { stream: file.createReadStream(), totalBytes: stats.isFile() ? stats.size : undefined };
  } catch (error) {
    await file?.close();
    const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
    throw unreadable(path, missing ? "no such file" : messageOf(error), error);
  }
}

function unreadable(path: string, what: string, cause?: unknown): ColdpathError {
  return new ColdpathError("INPUT_UNREADABLE", `${path}: ${what}`, { cause });
}
