// Format: docs/reference/formats/dead-letters.md
import { createHash, randomBytes } from "node:crypto";
import { KIB } from "../base/units.js";
import type { Batch } from "../buffer/batch.js";

/** A row that was refused, as `docs/reference/formats/dead-letters.md` describes it. */
export interface DeadLetter {
  readonly id: string;
  /** When it was refused, ISO-8601. */
  readonly time: string;
  readonly table: string;
  readonly recorder: string;
  /** Decimal, as 64 bits do not fit a JSON number; so are the next two. */
  readonly run: string;
  /** Null for a row that was refused before it had a number. */
  readonly seq: string | null;
  readonly source: string | null;
  readonly source_seq: string | null;
  /** Our error code or ClickHouse's number, and what it says. */
  readonly code: string;
  readonly reason: string;
  /** 16 hexadecimal digits of the row's SHA-256, whole and without the identity it was given. */
  readonly hash: string;
  /** The bytes: `text` as the intake read them, or base64 of bytes that are no UTF-8 or of one Native block. */
  readonly encoding: "text" | "base64" | "native";
  readonly bytes: string;
  /** Present if only the first {@link BYTES_MAX} bytes were kept, with the length of the whole. */
  readonly cut_from?: number;
}

/** A dead letter before it has been given an id, a time and its final bytes. */
export interface Refused
  extends Omit<DeadLetter, "id" | "time" | "hash" | "encoding" | "bytes" | "cut_from"> {
  readonly body:
    | { readonly text: string }
    | { readonly raw: Uint8Array }
    /** `content`: what is the same each time this row is taken. */
    | { readonly native: Uint8Array; readonly content: Uint8Array };
}

/** Bytes kept of one row: a line of a file may be longer, and a disk full of one bad line helps nobody. */
export const BYTES_MAX: number = 64 * KIB;

export function deadLetterOf(refused: Refused, now: number): DeadLetter {
  const { body, ...rest } = refused;
  return {
    id: randomBytes(8).toString("hex"),
    time: new Date(now).toISOString(),
    ...rest,
    hash: hashOf(body),
    ...contentOf(body),
  };
}

/** What makes two letters the same row, or undefined for a row without an origin of its own. */
export function originKey(letter: Pick<DeadLetter, "source" | "source_seq" | "hash">): string | undefined {
  if (letter.source === null || letter.source_seq === null) return undefined;
  // Senders may bring their own origin, and use one twice: only the same bytes are the same row.
  return `${letter.source_seq} ${letter.hash} ${letter.source}`;
}

/** The code of letters that keep what a column held that is no more; the row itself is stored without it. */
export const LEFT_OUT = "COLUMN_LEFT_OUT";

/** What makes two letters the same row for a start that did not write the first: an origin if it has one, or else its identity. */
export function rowKey(
  letter: Pick<DeadLetter, "run" | "seq" | "source" | "source_seq" | "hash" | "code">,
): string | undefined {
  if (letter.code === LEFT_OUT) return `${LEFT_OUT} ${letter.run} ${letter.seq} ${letter.hash}`;
  return originKey(letter) ?? (letter.seq === null ? undefined : `${letter.run} ${letter.seq}`);
}

/** A row that ClickHouse refuses: the first of a batch. */
export function refusedRow(batch: Batch, code: string, reason: string): Refused & { readonly seq: string } {
  return {
    table: batch.table.name,
    recorder: batch.recorder,
    run: batch.run.toString(),
    seq: batch.firstSeq,
    source: batch.firstValue("source") || null,
    source_seq: batch.firstValue("source_seq"),
    code,
    reason,
    body: { native: batch.encode(), content: batch.firstContent() },
  };
}

/** What `column` holds in the rows of a batch that is sent without it, one letter a row. */
export function* leftOutValues(batch: Batch, column: string): Generator<Refused> {
  const { table, recorder, run } = batch;
  for (const { seq, source, sourceSeq, block } of batch.valuesOf(column)) {
    yield {
      ...{ table: table.name, recorder, run: run.toString(), seq, source, source_seq: sourceSeq },
      code: LEFT_OUT,
      reason: `${table.name} has no column ${column}; the row is stored without it`,
      body: { native: block, content: block },
    };
  }
}

function hashOf(body: Refused["body"]): string {
  const content = "native" in body ? body.content : "text" in body ? body.text : body.raw;
  return createHash("sha256").update(content).digest("hex").slice(0, 16);
}

function contentOf(body: Refused["body"]): Pick<DeadLetter, "encoding" | "bytes" | "cut_from"> {
  // A Native block is one row that passed the encoder, and worthless if it is not whole.
  if ("native" in body) return { encoding: "native", bytes: Buffer.from(body.native).toString("base64") };
  const whole = "text" in body ? Buffer.from(body.text) : Buffer.from(body.raw);
  const kept = whole.subarray(0, BYTES_MAX);
  const cut = kept.length < whole.length ? { cut_from: whole.length } : {};
  const text = kept.toString();
  // A text cut within a character is still text; bytes that never were must come back as they were.
  const isText = "text" in body || Buffer.from(text).equals(kept);
  return isText
    ? { encoding: "text", bytes: text, ...cut }
    : { encoding: "base64", bytes: kept.toString("base64"), ...cut };
}
