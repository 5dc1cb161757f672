import { KIB } from "../base/units.js";
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

/**
 * What reading an INSERT's data from a file adds to the engine's texts; a server's client never sees a file. A caller
 * chooses what stands in such a text and how long it is, so each of these looks no further than a path is long.
 */
const FILE_TRACES: readonly RegExp[] = [
  /: data for INSERT was parsed from file/g,
  /: \(in file\/uri [^)]{0,5000}\)/g,
  /: While executing File(?=[:.]|$)/gm,
  /: While reading from: [^:]{0,5000}(?=:|$)/g,
  /\s?(?:FROM INFILE|INTO OUTFILE) '[^']{0,5000}'?(?: APPEND| COMPRESSION '[^']{0,20}'?)?/g,
];
/** Characters of an exception that are handed on; of a longer one its two ends. */
const TEXT_MAX = 16 * KIB;
const REPEATED_HEAD = /^(?:Code: \d+\. DB::Exception: )+(?=Code: \d+\. DB::Exception: )/;
const VERSION = / \(version [^()]*\)/g;
const REPEATED_NAME = /( \([A-Z][A-Z0-9_]+\))(?:\.?\1)+$/;

/**
 * The exception in what the engine threw, in the form a server sends. `undefined` when the engine failed without
 * saying a code: it is broken then, not the statement.
 */
export function exceptionOf(error: unknown): ClickHouseError | undefined {
  let text = shortened(error instanceof Error ? error.message : String(error));
  for (const trace of FILE_TRACES) text = text.replace(trace, "");
  text = text.replace(VERSION, "").trim().replace(REPEATED_HEAD, "").replace(REPEATED_NAME, "$1");
  const found = parseException(text, 0);
  if (found === undefined) return undefined;
  const { clickhouseCode, type, message } = found;
  return new ClickHouseError(clickhouseCode, type, httpStatusOf(clickhouseCode), message);
}

/** The beginning and the end, which has the exception's name. A statement of a megabyte may stand between them. */
function shortened(text: string): string {
  if (text.length <= TEXT_MAX) return text;
  return `${text.slice(0, TEXT_MAX / 2)} … ${text.slice(-TEXT_MAX / 2)}`;
}
