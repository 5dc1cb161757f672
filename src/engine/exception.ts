import { ClickHouseError, parseException } from "../clickhouse/error.js";
import { httpStatusOf } from "./http-status.js";

/** An answer that we give ourselves where a ClickHouse server would give it, in a server's words where it has some. */
export function refusal(code: number, type: string, text: string): ClickHouseError {
  return new ClickHouseError(
    code,
    type,
    httpStatusOf(code),
    `Code: ${code}. DB::Exception: ${text} (${type})`,
  );
}

/** What reading an INSERT's data from a file adds to the engine's texts; a server's client never sees a file. */
const FILE_TRACES: readonly RegExp[] = [
  /: data for INSERT was parsed from file/g,
  /: \(in file\/uri [^)]*\)/g,
  /: While executing File(?=[:.]|$)/gm,
  /: While reading from: [^:]*(?=:|$)/g,
  /\s*(?:FROM INFILE|INTO OUTFILE) '[^']*'?(?: APPEND| COMPRESSION '[^']*'?)?/g,
];
const REPEATED_HEAD = /^(?:Code: \d+\. DB::Exception: )+(?=Code: \d+\. DB::Exception: )/;
const VERSION = / \(version [^()]*\)/g;
const REPEATED_NAME = /( \([A-Z][A-Z0-9_]+\))(?:\.?\1)+$/;

/**
 * The exception in what the engine threw, in the form a server sends. `undefined` when the engine failed without
 * saying a code: it is broken then, not the statement.
 */
export function exceptionOf(error: unknown): ClickHouseError | undefined {
  let text = error instanceof Error ? error.message : String(error);
  for (const trace of FILE_TRACES) text = text.replace(trace, "");
  text = text.replace(VERSION, "").trim().replace(REPEATED_HEAD, "").replace(REPEATED_NAME, "$1");
  const found = parseException(text, 0);
  if (found === undefined) return undefined;
  const { clickhouseCode, type, message } = found;
  return new ClickHouseError(clickhouseCode, type, httpStatusOf(clickhouseCode), message);
}
