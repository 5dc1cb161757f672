import type { Readable } from "node:stream";
import { decodeBody } from "./decode-body.js";
import { refusal } from "./exception.js";
import { READER_STATEMENT_MAX } from "./limits.js";
import { parseInsertWithData, parseStatement } from "./parse-statement.js";
import type { InsertStatement, Statement } from "./statement.js";

/** A statement and the data that came after it. */
export interface Received {
  readonly statement: Statement;
  /** Data that was read together with the statement. */
  readonly ahead: Buffer;
  /** Data still to come. */
  readonly body: Readable | undefined;
  /** How the data is compressed, as `FROM INFILE … COMPRESSION` calls it. */
  readonly compression: string;
}

/**
 * Divides a request into statement and data: ClickHouse takes the `query` parameter, a line end and the body as one
 * text, and what follows the head of an INSERT in it is data.
 *
 * @param compression of the body
 * @param maxBytes in which a statement, or the part of an INSERT before its data, must end
 */
export async function readStatement(
  query: string,
  body: Readable | undefined,
  compression: string,
  maxBytes: number,
): Promise<Received> {
  const inUrl = query === "" ? "" : `${Buffer.from(query, "utf8").toString("latin1")}\n`;
  const insert = parseInsertWithData(inUrl);
  // The usual INSERT: its body is only data and need not be looked at.
  if (insert !== undefined && isOnlyHead(insert, inUrl, compression)) {
    return divide(insert, inUrl, body, compression);
  }
  if (body === undefined) return divide(parseStatement(inUrl), inUrl, undefined, "none");
  const decoded = decodeBody(body, compression);
  const chunks = decoded.iterator({ destroyOnReturn: false }) as AsyncIterableIterator<Buffer>;
  let text = inUrl;
  let isWhole = true;
  for await (const chunk of chunks) {
    text += chunk.toString("latin1");
    isWhole = text.length <= maxBytes;
    if (!isWhole) break;
  }
  const statement = parseStatement(text);
  if (!isWhole && !(statement.kind === "insert" && statement.dataAt < text.length)) throw tooLong(maxBytes);
  return divide(statement, text, isWhole ? undefined : decoded, "none");
}

/** The answer to a statement of more than `maxBytes`. */
export function tooLong(maxBytes: number): Error {
  const limit = maxBytes === READER_STATEMENT_MAX ? "without the password" : "engine.max_statement";
  return refusal(
    62,
    "SYNTAX_ERROR",
    `Syntax error: the statement is longer than ${maxBytes} bytes (${limit}).`,
  );
}

/** Data in the URL cannot stand before a compressed body without decoding that. */
function isOnlyHead(statement: InsertStatement, text: string, compression: string): boolean {
  return compression === "none" || text.slice(statement.dataAt).trim() === "";
}

function divide(
  statement: Statement,
  text: string,
  body: Readable | undefined,
  compression: string,
): Received {
  const ahead =
    statement.kind === "insert" && compression === "none"
      ? Buffer.from(text.slice(statement.dataAt), "latin1")
      : Buffer.alloc(0);
  return { statement, ahead, body, compression };
}
