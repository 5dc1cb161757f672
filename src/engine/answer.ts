import { randomBytes } from "node:crypto";
import type { FastifyReply } from "fastify";
import { messageOf } from "../base/errors.js";
import { ClickHouseError } from "../clickhouse/error.js";
import { refusal } from "./exception.js";
import type { Counts } from "./executor.js";

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

/** Value of `X-ClickHouse-Summary`. The engine does not tell how many rows a SELECT read, only what came out of it. */
export function summaryOf(counts: Counts | undefined, isInsert: boolean): string {
  const [rows, bytes] = [String(counts?.rowsRead ?? 0), String(counts?.bytesRead ?? 0)];
  return JSON.stringify({
    read_rows: isInsert ? rows : "0",
    read_bytes: isInsert ? bytes : "0",
    written_rows: isInsert ? rows : "0",
    written_bytes: isInsert ? bytes : "0",
    total_rows_to_read: "0",
    result_rows: rows,
    result_bytes: bytes,
    elapsed_ns: String(Math.round((counts?.elapsed ?? 0) * 1e9)),
  });
}

/** Sends an exception as a server does. */
export function sendException(reply: FastifyReply, error: unknown, version: string): FastifyReply {
  const exception =
    error instanceof ClickHouseError ? error : refusal(1002, "UNKNOWN_EXCEPTION", messageOf(error));
  return reply
    .code(exception.status)
    .headers({
      "content-type": "text/plain; charset=UTF-8",
      "x-clickhouse-exception-code": exception.clickhouseCode,
    })
    .send(exceptionText(exception, version));
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
