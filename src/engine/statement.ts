import { type Token, tokensOf } from "../clickhouse/lexer.js";
import { quoteString } from "../clickhouse/quote.js";
import { refusal } from "./exception.js";
import { refuseForbidden } from "./forbidden.js";
import { parseInsert, refuseHiddenData } from "./insert-head.js";
import { parameterNames, utf8 } from "./sql-text.js";

/**
 * What a request's text asks for, as far as it must be known before the engine runs it: whether data follows, where the
 * result goes, whether it may change anything. Text that could make the engine see two statements, data inside the
 * text, or a file outside of the data folder is refused.
 */
export type Statement = SelectStatement | InsertStatement | PlainStatement | KillStatement;

interface Common {
  /** The statement as it came, without data and without a closing semicolon. */
  readonly text: string;
  /** Names of the `{name:Type}` in the text. */
  readonly parameters: readonly string[];
}

/** A read whose result may be of any size. */
export interface SelectStatement extends Common {
  readonly kind: "select";
  /** The text with INTO OUTFILE where it belongs. */
  readonly into: (outfile: string) => string;
  /** Name in the FORMAT clause. */
  readonly format: string | undefined;
}

/** An INSERT whose data follows its text. */
export interface InsertStatement extends Common {
  readonly kind: "insert";
  /** The statement that reads its data from a file. `compression` as FROM INFILE calls it. */
  readonly fromFile: (file: string, compression: string) => string;
  readonly format: string;
  /** Byte offset in the request's text at which the data starts. */
  readonly dataAt: number;
}

/** Anything else: a small result or none. */
export interface PlainStatement extends Common {
  readonly kind: "read" | "write";
  readonly format: string | undefined;
}

/** KILL QUERY, which also has to reach requests that the engine has not seen yet. */
export interface KillStatement extends Common {
  readonly kind: "kill";
  readonly condition: string;
  readonly mode: "ASYNC" | "SYNC" | "TEST";
  readonly format: string | undefined;
}

const SELECTS: ReadonlySet<string> = new Set(["SELECT", "WITH", "FROM"]);
const READS: ReadonlySet<string> = new Set(["SHOW", "DESCRIBE", "DESC", "EXISTS", "EXPLAIN", "CHECK"]);

/** Index of the `FORMAT name` that ends a statement (only SETTINGS may follow), or -1. */
function formatClause(tokens: readonly Token[]): number {
  let depth = 0;
  for (let index = 0; index < tokens.length; index++) {
    const { text } = tokens[index]!;
    if (text === "(" || text === "[" || text === "{") depth += 1;
    else if (text === ")" || text === "]" || text === "}") depth -= 1;
    else if (depth === 0 && text === "FORMAT" && tokens[index + 1]?.kind === "word") {
      const after = tokens[index + 2];
      if (after === undefined || after.text === "SETTINGS") return index;
    }
  }
  return -1;
}

/** One statement's tokens: a semicolon may end it, nothing may follow. */
function withoutEnd(tokens: readonly Token[]): readonly Token[] {
  const end = tokens.findIndex((token) => token.text === ";");
  if (end < 0) return tokens;
  if (tokens.slice(end).some((token) => token.text !== ";")) {
    throw refusal(62, "SYNTAX_ERROR", "Syntax error (Multi-statements are not allowed).");
  }
  return tokens.slice(0, end);
}

function parseKill(
  text: string,
  tokens: readonly Token[],
  common: Common & { format: string | undefined },
): KillStatement {
  const formatAt = formatClause(tokens);
  const body = formatAt < 0 ? tokens : tokens.slice(0, formatAt);
  const [where, last] = [body[2], body.at(-1)!];
  if (where?.text !== "WHERE") throw refusal(62, "SYNTAX_ERROR", "Syntax error: KILL QUERY wants WHERE.");
  const hasMode = last.text === "SYNC" || last.text === "ASYNC" || last.text === "TEST";
  const condition = utf8(text.slice(where.end, hasMode ? last.start : last.end)).trim();
  if (condition === "") throw refusal(62, "SYNTAX_ERROR", "Syntax error: KILL QUERY wants a condition.");
  return {
    ...common,
    kind: "kill",
    condition,
    mode: hasMode ? (last.text as KillStatement["mode"]) : "ASYNC",
  };
}

/**
 * Reads a statement.
 *
 * @param text the statement, and after an INSERT maybe its data, decoded as latin1
 * @throws ClickHouseError with a server's code for what is refused
 */
export function parseStatement(text: string): Statement {
  const first = tokensOf(text).next().value;
  if (first === undefined) throw refusal(62, "SYNTAX_ERROR", "Syntax error: Empty query.");
  const insert = first.text === "INSERT" ? parseInsert(text) : undefined;
  if (insert !== undefined) return insert;

  const tokens = withoutEnd([...tokensOf(text)]);
  if (tokens.length === 0) throw refusal(62, "SYNTAX_ERROR", "Syntax error: Empty query.");
  refuseForbidden(text, tokens);
  refuseHiddenData(tokens);
  const end = tokens.at(-1)!.end;
  const formatAt = formatClause(tokens);
  const name = tokens[formatAt + 1]!;
  const format = formatAt < 0 ? undefined : text.slice(name.start, name.end);
  const common = {
    text: utf8(text.slice(first.start, end)),
    parameters: parameterNames(text, tokens),
    format,
  };

  if (first.text === "KILL" && tokens[1]?.text === "QUERY") return parseKill(text, tokens, common);
  const opening = tokens.find((token) => token.text !== "(")?.text ?? "";
  if (!SELECTS.has(opening) || tokens.some((token) => token.text === "INSERT")) {
    return { ...common, kind: READS.has(first.text) ? "read" : "write" };
  }
  const at = tokens[formatAt]?.start ?? end;
  const [before, after] = [utf8(text.slice(first.start, at)), utf8(text.slice(at, end))];
  return {
    ...common,
    kind: "select",
    into: (file) => `${before}\nINTO OUTFILE ${quoteString(file)} APPEND\n${after}`,
  };
}
