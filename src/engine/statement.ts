import { refusal } from "./exception.js";
import { type Token, tokensOf } from "./lexer.js";

/**
 * What a request's text asks for, as far as the engine must know before it runs it: whether data follows, where the
 * result goes, whether it may write. Text that could make the engine see two statements, data in the text, or a file
 * outside of the data folder is refused here.
 */
export type Statement = SelectStatement | InsertStatement | PlainStatement | KillStatement;

interface Common {
  /** Names of the `{name:Type}` in the text. */
  readonly parameters: readonly string[];
}

/** A read whose result may be of any size. */
export interface SelectStatement extends Common {
  readonly kind: "select";
  /** Statement as it came. */
  readonly text: string;
  /** The text with `INTO OUTFILE` put where it belongs. */
  readonly into: (outfile: string) => string;
  /** Name in the FORMAT clause. */
  readonly format: string | undefined;
}

/** An INSERT whose data follows its text. */
export interface InsertStatement extends Common {
  readonly kind: "insert";
  /** The statement that reads its data from a file. `compression` as FROM INFILE names it. */
  readonly fromFile: (file: string, compression: string) => string;
  readonly format: string;
  /** Byte offset in the text at which the data starts. */
  readonly dataAt: number;
}

/** Anything else: small result or none. */
export interface PlainStatement extends Common {
  readonly kind: "read" | "write";
  readonly text: string;
  readonly format: string | undefined;
}

/** KILL QUERY, which also has to reach requests that the engine has not seen yet. */
export interface KillStatement extends Common {
  readonly kind: "kill";
  readonly condition: string;
  readonly mode: "ASYNC" | "SYNC" | "TEST";
  readonly format: string | undefined;
}

const SELECTS = new Set(["SELECT", "WITH", "FROM"]);
const READS = new Set(["SHOW", "DESCRIBE", "DESC", "EXISTS", "EXPLAIN", "CHECK"]);
/** Words that end what names the target of an INSERT. */
const INSERT_SOURCES = new Set(["FORMAT", "VALUES", "SELECT", "WITH", "FROM"]);
/** Functions that read files of this machine and that no grant covers. */
const FILE_FUNCTIONS = new Set(["FILE", "CATBOOSTEVALUATE"]);

function syntaxError(text: string): Error {
  return refusal(62, "SYNTAX_ERROR", text);
}

/** The bytes of a latin1 text as the UTF-8 they are. */
function utf8(latin1: string): string {
  return Buffer.from(latin1, "latin1").toString("utf8");
}

/** The name that a word or quoted identifier means, in upper case. */
function nameOf(text: string, token: Token | undefined): string {
  if (token === undefined) return "";
  if (token.kind === "word") return token.text;
  return token.kind === "quoted" ? text.slice(token.start + 1, token.end - 1).toUpperCase() : "";
}

/** What never may be in a statement, wherever it stands. */
function refuseDangerous(text: string, tokens: readonly Token[]): void {
  tokens.forEach((token, index) => {
    const next = tokens[index + 1];
    if (token.kind === "open") throw syntaxError("A string, identifier or comment is not closed.");
    if (token.text === "\\" || token.text === "\0") throw syntaxError("Unrecognized token.");
    if (token.text === "OUTFILE" && tokens[index - 1]?.text === "INTO") {
      throw refusal(358, "INTO_OUTFILE_NOT_ALLOWED", "INTO OUTFILE is not allowed over HTTP.");
    }
    if (token.text === "INFILE" && tokens[index - 1]?.text === "FROM") {
      throw refusal(497, "ACCESS_DENIED", "FROM INFILE is not allowed over HTTP; send the data as the body.");
    }
    if (next?.text === "(" && FILE_FUNCTIONS.has(nameOf(text, token))) {
      throw refusal(
        497,
        "ACCESS_DENIED",
        `Function ${utf8(text.slice(token.start, token.end))} is not allowed over HTTP.`,
      );
    }
  });
}

function parameterNames(text: string, tokens: readonly Token[]): string[] {
  const names: string[] = [];
  tokens.forEach((token, index) => {
    if (token.text === "{" && tokens[index + 1]?.kind === "word" && tokens[index + 2]?.text === ":") {
      names.push(text.slice(tokens[index + 1]!.start, tokens[index + 1]!.end));
    }
  });
  return names;
}

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

/** Index after the token group that opens with the bracket at `index`. */
function afterBrackets(tokens: readonly Token[], index: number): number {
  let depth = 0;
  for (let position = index; position < tokens.length; position++) {
    const { text } = tokens[position]!;
    if (text === "(") depth += 1;
    else if (text === ")" && --depth === 0) return position + 1;
  }
  return tokens.length;
}

/** Index after the table (or table function) and the column list of an INSERT. */
function afterInsertTarget(tokens: readonly Token[]): number {
  let index = 1;
  if (tokens[index]?.text === "INTO") index += 1;
  if (tokens[index]?.text === "TABLE" && tokens[index + 1]?.text !== ".") index += 1;
  const isFunction = tokens[index]?.text === "FUNCTION" && tokens[index + 1]?.kind !== "symbol";
  if (isFunction) index += 1;
  index += 1;
  while (tokens[index]?.text === ".") index += 2;
  if (isFunction) index = afterBrackets(tokens, index);
  const inBrackets = tokens[index + 1]?.text;
  if (tokens[index]?.text === "(" && inBrackets !== "SELECT" && inBrackets !== "WITH") {
    index = afterBrackets(tokens, index);
  }
  return index;
}

/** Where the data starts after the format's name: blanks and one line end belong to the statement. */
function skipToData(text: string, at: number): number {
  const gap = /[ \t\f]*\r?\n?/y;
  gap.lastIndex = at;
  gap.test(text);
  return gap.lastIndex;
}

/** The INSERT in `text`, of which only the head is divided into tokens: its data is not SQL. */
function parseInsert(text: string): InsertStatement | undefined {
  const tokens: Token[] = [];
  let source: Token | undefined;
  for (const token of tokensOf(text)) {
    tokens.push(token);
    if (source !== undefined) break;
    const target = afterInsertTarget(tokens);
    if (tokens.length > target && (INSERT_SOURCES.has(token.text) || token.text === "(")) source = token;
    if (token.text === "VALUES" && source === token) break;
  }
  if (source?.text !== "FORMAT" && source?.text !== "VALUES") return undefined;
  refuseDangerous(text, tokens.slice(0, tokens.indexOf(source)));
  const isValues = source.text === "VALUES";
  const name = tokens.at(-1)!;
  if (!isValues && (name === source || name.kind !== "word"))
    throw syntaxError("FORMAT wants the name of a format.");
  const format = isValues ? "Values" : text.slice(name.start, name.end);
  const settingsAt = tokens.findIndex(
    (token, index) => token.text === "SETTINGS" && index >= afterInsertTarget(tokens),
  );
  const settings = settingsAt < 0 ? "" : utf8(text.slice(tokens[settingsAt]!.start, source.start));
  const head = utf8(text.slice(tokens[0]!.start, tokens[settingsAt]?.start ?? source.start)).trimEnd();
  const dataAt = isValues ? source.end : skipToData(text, name.end);
  if (!isValues && text[dataAt] === ";")
    throw syntaxError("You have excessive semicolon right after FORMAT clause.");
  return {
    kind: "insert",
    fromFile: (file, compression) =>
      `${head} FROM INFILE ${quote(file)} COMPRESSION ${quote(compression)} ${settings}FORMAT ${format}`,
    format,
    dataAt,
    parameters: parameterNames(text, tokens),
  };
}

/** A string as a ClickHouse literal. */
export function quote(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}

/** A name as a ClickHouse identifier. */
export function quoteName(name: string): string {
  return `\`${name.replaceAll("\\", "\\\\").replaceAll("`", "\\`")}\``;
}

/** One statement's tokens; a `;` may end it, nothing may follow. */
function withoutEnd(tokens: readonly Token[]): readonly Token[] {
  const end = tokens.findIndex((token) => token.text === ";");
  if (end < 0) return tokens;
  if (tokens.slice(end).some((token) => token.text !== ";")) {
    throw syntaxError("Syntax error (Multi-statements are not allowed).");
  }
  return tokens.slice(0, end);
}

/**
 * Refuses an INSERT that was not recognised as one with data and yet may carry some: the engine would end that data at
 * a blank line and run the rest as SQL.
 */
function refuseHiddenData(tokens: readonly Token[]): void {
  const insertAt = tokens.findIndex(
    (token, index) => token.text === "INSERT" && (index === 0 || tokens[index + 1]?.text === "INTO"),
  );
  if (insertAt < 0) return;
  const insert = tokens.slice(insertAt);
  const source = insert[afterInsertTarget(insert)]?.text;
  const isSelect = source === "SELECT" || source === "WITH" || source === "(" || source === "SETTINGS";
  if (!isSelect || insert.some((token) => token.text === "VALUES" || token.text === "FORMAT")) {
    throw syntaxError(
      "Syntax error: data is expected after VALUES or FORMAT of an INSERT that stands alone.",
    );
  }
  if (insert.some((token, index) => token.text === "INPUT" && insert[index + 1]?.text === "(")) {
    throw refusal(
      48,
      "NOT_IMPLEMENTED",
      "INSERT ... SELECT FROM input() is not supported by the embedded engine.",
    );
  }
}

function parseKill(
  text: string,
  tokens: readonly Token[],
  end: number,
  format: string | undefined,
): KillStatement {
  const formatAt = formatClause(tokens);
  const body = formatAt < 0 ? tokens : tokens.slice(0, formatAt);
  if (body[2]?.text !== "WHERE") throw syntaxError("KILL QUERY wants a WHERE clause.");
  const last = body.at(-1)!;
  const hasMode = last.text === "SYNC" || last.text === "ASYNC" || last.text === "TEST";
  const conditionEnd = hasMode ? last.start : (tokens[formatAt]?.start ?? end);
  return {
    kind: "kill",
    condition: utf8(text.slice(body[2]!.end, conditionEnd)).trim(),
    mode: hasMode ? (last.text as KillStatement["mode"]) : "ASYNC",
    format,
    parameters: parameterNames(text, tokens),
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
  if (first === undefined) throw syntaxError("Empty query");
  if (first.text === "INSERT") {
    const insert = parseInsert(text);
    if (insert !== undefined) return insert;
  }
  const tokens = withoutEnd([...tokensOf(text)]);
  refuseDangerous(text, tokens);
  refuseHiddenData(tokens);
  const end = tokens.at(-1)!.end;
  const formatAt = formatClause(tokens);
  const formatToken = tokens[formatAt + 1];
  const format = formatAt < 0 ? undefined : text.slice(formatToken!.start, formatToken!.end);
  const whole = utf8(text.slice(0, end));
  const parameters = parameterNames(text, tokens);
  const opening = tokens.find((token) => token.text !== "(")?.text ?? "";
  if (SELECTS.has(opening) && !tokens.some((token) => token.text === "INSERT")) {
    const at = tokens[formatAt]?.start ?? end;
    const [before, after] = [utf8(text.slice(0, at)), utf8(text.slice(at, end))];
    return {
      kind: "select",
      text: whole,
      into: (file) => `${before} INTO OUTFILE ${quote(file)} APPEND ${after}`,
      format,
      parameters,
    };
  }
  if (first.text === "KILL" && tokens[1]?.text === "QUERY") return parseKill(text, tokens, end, format);
  return { kind: READS.has(first.text) ? "read" : "write", text: whole, format, parameters };
}
