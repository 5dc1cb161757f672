import { randomBytes } from "node:crypto";
import type { FastifyReply } from "fastify";
import { messageOf } from "../base/errors.js";
import { ClickHouseError } from "../clickhouse/error.js";
import { compressedBlock } from "./compressed-block.js";
import { refusal } from "./exception.js";
import type { Counts } from "./executor.js";
import type { Progress } from "./progress.js";

/** Content-Type of an answer in a format, as servers choose it. */
export function contentTypeOf(format: string): string {
  if (/^(TabSeparated|TSV)/.test(format)) return "text/tab-separated-values; charset=UTF-8";
  if (format.startsWith("CSV")) {
    return `text/csv; charset=UTF-8; header=${format.includes("WithNames") ? "present" : "absent"}`;
  }
  if (/^JSON.*EachRow/.test(format)) return "application/x-ndjson; charset=UTF-8";
  if (format.startsWith("JSON")) return "application/json; charset=UTF-8";
  if (/^(Native|RowBinary|Parquet|Arrow|ORC|Avro|MsgPack|Protobuf|BSON|CapnProto)/.test(format)) {
    return "application/octet-stream";
  }
  return "text/plain; charset=UTF-8";
}

/** A value as a header may have it: what HTTP does not take is percent-encoded. */
export function headerText(value: string): string {
  return value.replace(/[^\x20-\x7e]/gu, encodeURIComponent);
}

/** What is known of a statement when its answer begins; 0 stands for what is not known. */
export interface Figures {
  readonly counts?: Counts | undefined;
  /** The counts are of rows that were stored as they came. */
  readonly isWritten?: boolean;
  readonly progress?: Progress | undefined;
}

/**
 * Value of `X-ClickHouse-Summary`. The engine does not tell how many rows a SELECT read, only what came out of it; what
 * was seen while it ran is what there is.
 */
export function summaryOf({ counts, isWritten = false, progress }: Figures): string {
  const [rows, bytes] = [counts?.rowsRead ?? 0, counts?.bytesRead ?? 0];
  const elapsedNs = counts === undefined ? progress?.elapsedNs : Math.round(counts.elapsed * 1e9);
  const figures = {
    read_rows: isWritten ? rows : (progress?.readRows ?? 0),
    read_bytes: isWritten ? bytes : (progress?.readBytes ?? 0),
    written_rows: isWritten ? rows : 0,
    written_bytes: isWritten ? bytes : 0,
    total_rows_to_read: progress?.totalRows ?? 0,
    result_rows: rows,
    result_bytes: bytes,
    elapsed_ns: elapsedNs ?? 0,
  };
  return JSON.stringify(figures, (_name, value: unknown) =>
    typeof value === "object" ? value : String(value),
  );
}

/** Sends an exception as a server does: in compressed blocks to a client that wants its answers so, else plain. */
export async function sendException(
  reply: FastifyReply,
  error: unknown,
  version: string,
  inBlocks: boolean,
): Promise<FastifyReply> {
  const exception =
    error instanceof ClickHouseError ? error : refusal(1002, "UNKNOWN_EXCEPTION", messageOf(error));
  const text = exceptionText(exception, version);
  return reply
    .code(exception.status)
    .headers({
      "content-type": "text/plain; charset=UTF-8",
      "x-clickhouse-exception-code": exception.clickhouseCode,
    })
    .send(inBlocks ? await compressedBlock(text) : text);
}

function exceptionText(exception: ClickHouseError, version: string): string {
  return `${exception.message} (version ${version})\n`;
}

/** Drawn per answer, so that no result can pretend to be the end of one. */
export function exceptionTag(): string {
  return randomBytes(8).toString("hex");
}

/** The end of an answer whose status was already sent when the exception came (servers since 25.11). */
export function exceptionTrailer(error: unknown, tag: string, version: string): Buffer {
  const exception =
    error instanceof ClickHouseError ? error : refusal(1002, "UNKNOWN_EXCEPTION", messageOf(error));
  const text = exceptionText(exception, version);
  return Buffer.from(
    `\r\n__exception__\r\n${tag}\r\n${text}${Buffer.byteLength(text)} ${tag}\r\n__exception__\r\n`,
  );
}
