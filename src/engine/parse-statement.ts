import { type Token, tokensOf } from "../clickhouse/lexer.js";
import { quoteString } from "../clickhouse/quote.js";
import { refusal } from "./exception.js";
import { refuseForbidden } from "./forbidden.js";
import { parseInsert, refuseHiddenData } from "./insert-head.js";
import { parseInsertSelect } from "./insert-select.js";
import { parametersOf, utf8 } from "./sql-text.js";
import type { InsertStatement, KillStatement, PlainStatement, Statement } from "./statement.js";

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

/** What opens a statement about settings, roles or transactions. */
const SESSION_BOUND: ReadonlySet<string> = new Set(["SET", "USE", "BEGIN", "START", "COMMIT", "ROLLBACK"]);

/** What follows SET when it is about users or transactions instead of settings. */
const NOT_SETTINGS: ReadonlySet<string | undefined> = new Set(["ROLE", "DEFAULT", "TRANSACTION"]);

function kindOf(first: string, second: string | undefined): PlainStatement["kind"] {
  if (READS.has(first)) return "read";
  return first === "USE" || (first === "SET" && !NOT_SETTINGS.has(second)) ? "session" : "write";
}

function parseKill(
  text: string,
  tokens: readonly Token[],
  common: Omit<KillStatement, "kind" | "condition" | "mode">,
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

/** The INSERT at the start of `text` if its data has begun there too. @throws ClickHouseError for what is refused in it */
export function parseInsertWithData(text: string): InsertStatement | undefined {
  if (tokensOf(text).next().value?.text !== "INSERT") return undefined;
  return parseInsert(text) ?? parseInsertSelect(text);
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
  const insert = parseInsertWithData(text);
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
    parameters: parametersOf(text, tokens),
    format,
  };

  if (first.text === "KILL" && tokens[1]?.text === "QUERY") return parseKill(text, tokens, common);
  const opening = tokens.find((token) => token.text !== "(")?.text ?? "";
  if (!SELECTS.has(opening) || tokens.some((token) => token.text === "INSERT")) {
    const isSessionBound = SESSION_BOUND.has(first.text) || tokens.some(({ text }) => text === "TEMPORARY");
    return { ...common, kind: kindOf(first.text, tokens[1]?.text), isSessionBound };
  }
  const at = tokens[formatAt]?.start ?? end;
  const [before, after] = [utf8(text.slice(first.start, at)), utf8(text.slice(at, end))];
  return {
    ...common,
    kind: "select",
    into: (file) => `${before}\nINTO OUTFILE ${quoteString(file)} APPEND\n${after}`,
  };
}
