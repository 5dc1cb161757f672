import { type Token, tokensOf } from "../clickhouse/lexer.js";
import { quoteString } from "../clickhouse/quote.js";
import { refusal } from "./exception.js";
import { refuseForbidden } from "./forbidden.js";
import { parametersOf, utf8 } from "./sql-text.js";
import type { InsertStatement, SpooledData } from "./statement.js";

/** Words after the target of an INSERT that say where its rows come from. */
const SOURCES: ReadonlySet<string> = new Set(["FORMAT", "VALUES", "SELECT", "WITH", "FROM", "("]);

/** A statement's token by its index; undefined behind the last one. */
export type TokenAt = (index: number) => Token | undefined;

/** The tokens of `text`, each read when it is first asked for: what follows the head of an INSERT is data. */
export function lazyTokens(text: string): TokenAt {
  const tokens: Token[] = [];
  const rest = tokensOf(text);
  return (index) => {
    while (tokens.length <= index) {
      const next = rest.next();
      if (next.done === true) return undefined;
      tokens.push(next.value);
    }
    return tokens[index];
  };
}

/** Index after the tokens of the bracket that opens at `index`. */
function afterBrackets(at: TokenAt, index: number): number {
  let depth = 0;
  for (let position = index; ; position++) {
    const token = at(position);
    if (token === undefined) return position;
    if (token.text === "(") depth += 1;
    else if (token.text === ")" && --depth === 0) return position + 1;
  }
}

/** Index after `INSERT [INTO] [TABLE] [FUNCTION] target [(columns)]`. */
export function afterInsertTarget(at: TokenAt): number {
  let index = 1;
  if (at(index)?.text === "INTO") index += 1;
  if (at(index)?.text === "TABLE" && at(index + 1)?.text !== ".") index += 1;
  const isFunction = at(index)?.text === "FUNCTION" && at(index + 1)?.kind !== "symbol";
  if (isFunction) index += 1;
  index += 1;
  while (at(index)?.text === ".") index += 2;
  if (isFunction) index = afterBrackets(at, index);
  if (at(index)?.text !== "(") return index;
  const inBrackets = at(index + 1)?.text;
  return inBrackets === "SELECT" || inBrackets === "WITH" ? index : afterBrackets(at, index);
}

/** Where the data starts after the format's name: blanks and one line end belong to the statement. */
export function skipToData(text: string, at: number): number {
  const gap = /[ \t\f]*\r?\n?/y;
  gap.lastIndex = at;
  gap.test(text);
  return gap.lastIndex;
}

/** Tokens up to FORMAT and its name, or VALUES. What follows is data and no SQL, so no token of it is looked at. */
function headTokens(text: string): { tokens: Token[]; source: number; targetEnd: number } {
  const at = lazyTokens(text);
  const targetEnd = afterInsertTarget(at);
  let source = targetEnd;
  while (at(source) !== undefined && !SOURCES.has(at(source)!.text)) source += 1;
  const last = at(source)?.text === "FORMAT" && at(source + 1) !== undefined ? source + 1 : source;
  const tokens: Token[] = [];
  for (let index = 0; index <= last && at(index) !== undefined; index++) tokens.push(at(index)!);
  return { tokens, source, targetEnd };
}

/**
 * The end of an INSERT that reads a file.
 *
 * @param settings of the statement; empty for none
 */
export function infileClause(data: SpooledData, settings: string, format: string): string {
  const infile = `FROM INFILE ${quoteString(data.file)} COMPRESSION ${quoteString(data.compression)}`;
  const lists = [settings, data.settings].filter((list) => list.trim() !== "");
  // Line ends, because a part may end in a line comment. Of two values of a setting the last one holds.
  return [infile, ...(lists.length > 0 ? [`SETTINGS ${lists.join("\n, ")}`] : []), `FORMAT ${format}`].join(
    "\n",
  );
}

/**
 * The INSERT in `text` whose rows follow as data; undefined when they come from elsewhere.
 *
 * @param text statement and at least the start of its data, decoded as latin1
 */
export function parseInsert(text: string): InsertStatement | undefined {
  const { tokens, source, targetEnd } = headTokens(text);
  const sourceToken = tokens[source];
  if (sourceToken?.text !== "FORMAT" && sourceToken?.text !== "VALUES") return undefined;
  refuseForbidden(text, tokens.slice(0, source));
  const isValues = sourceToken.text === "VALUES";
  const last = tokens.at(-1)!;
  if (!isValues && (last === sourceToken || last.kind !== "word")) {
    throw refusal(62, "SYNTAX_ERROR", "Syntax error: FORMAT wants the name of a format.");
  }
  const dataAt = isValues ? last.end : skipToData(text, last.end);
  if (!isValues && text[last.end] === ";") {
    throw refusal(
      62,
      "SYNTAX_ERROR",
      "Syntax error: you have excessive semicolon right after FORMAT clause.",
    );
  }
  const format = isValues ? "Values" : text.slice(last.start, last.end);
  const settingsToken = tokens.slice(targetEnd, source).find((token) => token.text === "SETTINGS");
  const part = (start: number, end: number): string => utf8(text.slice(start, end)).trimEnd();
  const target = part(tokens[0]!.start, settingsToken?.start ?? sourceToken.start);
  const settings = settingsToken === undefined ? "" : part(settingsToken.end, sourceToken.start);
  return {
    kind: "insert",
    text: part(tokens[0]!.start, last.end),
    fromFile: (data) => ({
      steps: [`${target}\n${infileClause(data, settings, format)}`],
      finally: undefined,
    }),
    format,
    isPlain: true,
    dataAt,
    parameters: parametersOf(text, tokens),
  };
}

/**
 * Refuses an INSERT with data that {@link parseInsert} did not see as one, such as behind an EXPLAIN: the engine would
 * end that data at a blank line and run the rest as SQL.
 */
export function refuseHiddenData(tokens: readonly Token[]): void {
  const insertAt = tokens.findIndex(
    (token, index) => token.text === "INSERT" && (index === 0 || tokens[index + 1]?.text === "INTO"),
  );
  if (insertAt < 0) return;
  const insert = tokens.slice(insertAt);
  const source = insert[afterInsertTarget((index) => insert[index])]?.text;
  const isSelect = source === "SELECT" || source === "WITH" || source === "(" || source === "SETTINGS";
  const isData = (token: Token, index: number): boolean =>
    token.text === "VALUES" || (token.text === "FORMAT" && insert[index + 1]?.text !== "(");
  if (!isSelect || insert.some(isData)) {
    throw refusal(
      62,
      "SYNTAX_ERROR",
      "Syntax error: an INSERT has data after FORMAT or VALUES and nothing around it, or it is an INSERT ... SELECT " +
        "that does not use these words (a column of that name wants quotes).",
    );
  }
  if (insert.some((token, index) => token.text === "INPUT" && insert[index + 1]?.text === "(")) {
    throw refusal(62, "SYNTAX_ERROR", "Syntax error: function input wants an INSERT with FORMAT and data.");
  }
}
