import { ColdpathError } from "../base/errors.js";

/** ClickHouse understood the request and refused it, wherever in the answer it said so. */
export class ClickHouseError extends ColdpathError {
  override readonly name = "ClickHouseError";
  /** ClickHouse's error number, such as 60. */
  readonly clickhouseCode: number;
  /** ClickHouse's error name, such as `UNKNOWN_TABLE`; empty when the answer carried none. */
  readonly type: string;
  /** HTTP status of the answer; 200 when the exception stood in the body of a success. */
  readonly status: number;

  constructor(clickhouseCode: number, type: string, status: number, text: string) {
    super("CLICKHOUSE_ANSWER", text);
    this.clickhouseCode = clickhouseCode;
    this.type = type;
    this.status = status;
  }
}

interface UnreachableOptions {
  readonly cause?: unknown;
  readonly endpoint?: string | undefined;
  readonly neverSent?: boolean | undefined;
  readonly status?: number | undefined;
  readonly retryAfterMs?: number | undefined;
}

/**
 * No answer that can be believed. Whether the statement ran is unknown unless `neverSent`: a request that found no
 * connection did nothing.
 */
export class UnreachableError extends ColdpathError {
  override readonly name = "UnreachableError";
  /** The address that was asked. */
  readonly endpoint: string | undefined;
  readonly neverSent: boolean;
  /** HTTP status if something answered that was not a ClickHouse (a proxy's 502 page). */
  readonly status: number | undefined;
  /** How long it asked us to wait, milliseconds. */
  readonly retryAfterMs: number | undefined;

  constructor(message: string, options: UnreachableOptions) {
    super("CLICKHOUSE_UNREACHABLE", message, { cause: options.cause });
    this.endpoint = options.endpoint;
    this.neverSent = options.neverSent ?? false;
    this.status = options.status;
    this.retryAfterMs = options.retryAfterMs;
  }
}

const EXCEPTION = /Code: (\d+)\.\s+(?:DB::)?\w*Exception[^:]*: /;
/** A server's version stands in brackets too: `(version 26.3.1.1 (official build))`. */
const NAME_AT_END = /\(([A-Z][A-Z0-9_]+)\)(?:\s*\(version .*\))?\s*$/;

/** The exception in a piece of answer text, or undefined if there is none. */
export function parseException(text: string, status: number): ClickHouseError | undefined {
  const match = EXCEPTION.exec(text);
  if (match === null) return undefined;
  const message = text.slice(match.index).trim();
  const firstLine = message.split("\n", 1)[0]!;
  const type = NAME_AT_END.exec(firstLine)?.[1] ?? NAME_AT_END.exec(message)?.[1] ?? "";
  return new ClickHouseError(Number(match[1]), type, status, message);
}
