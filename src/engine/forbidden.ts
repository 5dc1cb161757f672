import type { Token } from "../clickhouse/lexer.js";
import { refuseForeignSource } from "./dictionary-source.js";
import { refusal } from "./exception.js";
import type { Statement } from "./statement.js";

/**
 * What no statement over HTTP may hold, because the engine runs in the user's own process rights and its grants do not
 * cover it. Grants (`server-config.ts`) cover tables, table functions and most engines; here is the rest.
 */

/**
 * Functions that read files of this machine. The engine asks for no grant, and another function may take one by its bare
 * name (`arrayMap(file, …)`, `APPLY file`), so these names are refused wherever they stand.
 */
const FILE_FUNCTIONS: ReadonlySet<string> = new Set(["FILE", "CATBOOSTEVALUATE"]);

/** What these rules would not see through, and sources or disks elsewhere; refused as a call. */
const FUNCTIONS: ReadonlySet<string> = new Set([
  ...FILE_FUNCTIONS,
  ...["EXECUTABLE", "EXECUTABLEPOOL", "EVAL", "DISK"],
  ...["CASSANDRA", "HTTP", "JDBC", "LIBRARY", "MONGODB", "MYSQL", "ODBC", "POSTGRESQL", "REDIS", "YTSAURUS"],
  // They take a path or an address, and no grant is asked for.
  ...["DATALAKECATALOG", "EMBEDDEDROCKSDB", "FILELOG", "SSD_CACHE", "COMPLEX_KEY_SSD_CACHE"],
]);

/** Table functions whose first argument lists columns, which may have expressions: SQL inside of a string. */
const STRUCTURED: ReadonlySet<string> = new Set(["VALUES", "GENERATERANDOM", "NULL", "FUZZJSON", "INPUT"]);

/** Table engines that run their rows as queries, or keep files of their own; no grant is asked for. */
const ENGINES: ReadonlySet<string> = new Set(["EMBEDDEDROCKSDB", "QUERYRUNNER"]);

/** Settings that name files or hosts, hold expressions, or change how a statement is read. */
const SETTINGS: ReadonlySet<string> = new Set([
  "ADDITIONAL_RESULT_FILTER",
  "ADDITIONAL_TABLE_FILTERS",
  "ALLOW_EXPERIMENTAL_AI_FUNCTIONS",
  "AST_FUZZER_ANY_QUERY",
  "AST_FUZZER_RUNS",
  "DIALECT",
  "FORMAT_AVRO_SCHEMA_REGISTRY_URL",
  "FORMAT_SCHEMA",
  "FORMAT_SCHEMA_MESSAGE_NAME",
  "FORMAT_SCHEMA_SOURCE",
  "FORMAT_TEMPLATE_RESULTSET",
  "FORMAT_TEMPLATE_ROW",
  "INPUT_FORMAT_RECORD_ERRORS_FILE_PATH",
  "OUTPUT_FORMAT_SCHEMA",
  "PARALLEL_REPLICAS_CUSTOM_KEY",
  "RENAME_FILES_AFTER_PROCESSING",
]);

/** @throws ClickHouseError 452 for a setting that is not let through */
export function refuseForbiddenSetting(name: string): void {
  if (!SETTINGS.has(name.toUpperCase())) return;
  throw refusal(452, "SETTING_CONSTRAINT_VIOLATION", `Setting ${name} is not allowed over HTTP.`);
}

/**
 * Refuses the value of an `{name:Identifier}`, which stands for a name that {@link refuseForbidden} does not see.
 *
 * @param params the request's parameters, as they came
 * @throws ClickHouseError 497 for a forbidden name, or one that is escaped and could spell it
 */
export function refuseForbiddenIdentifiers(statement: Statement, params: ReadonlyMap<string, string>): void {
  const mentions = statement.text.match(/identifier/gi)?.length ?? 0;
  const names = statement.parameters.flatMap((each) => (each.isIdentifier ? [each.name] : []));
  // A mention in any other place may be an Identifier written in a way not seen here, and every value may be its.
  const values = names.length === mentions ? names.map((name) => params.get(name) ?? "") : params.values();
  for (const value of values) {
    const name = value.toUpperCase();
    if (FUNCTIONS.has(name) || STRUCTURED.has(name) || name === "FORMAT" || /^\w*\\[\w\\]*$/.test(name)) {
      throw refusal(497, "ACCESS_DENIED", `Parameter value ${value} is not allowed beside an Identifier.`);
    }
  }
}

/**
 * @param text the statement, decoded as latin1
 * @throws ClickHouseError for anything forbidden in it
 */
export function refuseForbidden(text: string, tokens: readonly Token[]): void {
  tokens.forEach((token, index) => {
    const [previous, next] = [tokens[index - 1]?.text, tokens[index + 1]?.text];
    if (token.kind === "open") {
      throw refusal(62, "SYNTAX_ERROR", "Syntax error: a string, identifier or comment is not closed.");
    }
    if (token.text === "\\" || token.text === "\0") {
      throw refusal(62, "SYNTAX_ERROR", "Syntax error: unrecognized token.");
    }
    if (token.text === "OUTFILE" && previous === "INTO") {
      throw refusal(358, "INTO_OUTFILE_NOT_ALLOWED", "INTO OUTFILE is not allowed over HTTP.");
    }
    if (token.text === "INFILE" && previous === "FROM") {
      throw refusal(497, "ACCESS_DENIED", "FROM INFILE is not allowed over HTTP; send the data as the body.");
    }
    if (token.text === "SOURCE") refuseForeignSource(tokens, index);
    if (token.text === "ENGINE") refuseEngine(text, tokens[next === "=" ? index + 2 : index + 1]);
    refuseForbiddenName(nameOf(text, token), next, tokens[index + 2]?.text);
    if (next === "(" && previous !== "INTO")
      refuseHiddenExpressions(text, nameOf(text, token).toUpperCase(), tokens.slice(index + 2, index + 6));
  });
}

function refuseEngine(text: string, token: Token | undefined): void {
  const name = token === undefined ? "" : nameOf(text, token);
  if (ENGINES.has(name.toUpperCase()))
    throw refusal(497, "ACCESS_DENIED", `Table engine ${name} is not allowed over HTTP.`);
}

/** `= DEFAULT` resets a setting past every constraint; these hold a statement in its limits. */
const CONSTRAINED: ReadonlySet<string> = new Set([
  "READONLY",
  "MAX_MEMORY_USAGE",
  "MAX_TEMPORARY_DATA_ON_DISK_SIZE_FOR_USER",
]);

/**
 * @param next the symbol after the name, if one is there
 * @param value the word after that
 */
function refuseForbiddenName(quoted: string, next: string | undefined, value: string | undefined): void {
  const isCall = next === "(";
  if (!/^(?:[^\\]|\\[\\`"'])*$/.test(quoted)) {
    // Such an escape could spell any name in a way that is not recognised here.
    throw refusal(
      62,
      "SYNTAX_ERROR",
      "Syntax error: a quoted name escapes more than quotes and backslashes.",
    );
  }
  const name = quoted.replace(/\\(.)/gs, "$1");
  const upper = name.toUpperCase();
  if (FILE_FUNCTIONS.has(upper) || (isCall && FUNCTIONS.has(upper))) {
    throw refusal(
      497,
      "ACCESS_DENIED",
      `The name ${name} is not allowed over HTTP: function ${name} reaches outside.`,
    );
  }
  if (next !== "=") return;
  if (value === "DEFAULT" && CONSTRAINED.has(upper)) {
    throw refusal(452, "SETTING_CONSTRAINT_VIOLATION", `Setting ${name} may have a value, but not DEFAULT.`);
  }
  refuseForbiddenSetting(name);
  if (upper.startsWith("PARAM_")) {
    throw refusal(
      452,
      "SETTING_CONSTRAINT_VIOLATION",
      `${name} is a parameter of the request, not a setting.`,
    );
  }
}

/**
 * Refuses calls that would evaluate SQL out of a string: the table function `format` (values, column defaults), and
 * column lists with expressions.
 *
 * @param inside the first tokens in the brackets
 */
function refuseHiddenExpressions(text: string, name: string, inside: readonly Token[]): void {
  const [first, after] = inside;
  const string = first?.kind === "string" ? text.slice(first.start, first.end) : undefined;
  if (name === "FORMAT" && !string?.includes("{")) {
    // Not the function of the same name, which wants a pattern.
    const kinds = inside.map((token) => (token.kind === "symbol" ? token.text : token.kind)).join(" ");
    if (kinds === "word , string )" && first?.text !== "VALUES") return;
    throw refusal(
      497,
      "ACCESS_DENIED",
      "Table function format may have the name of a format and data, no more.",
    );
  }
  if (!STRUCTURED.has(name) || first?.text === ")") return;
  // Without a list the rows begin. Anything less plain, such as a string in brackets, could be a list.
  const isRow = first?.text === "(" && (after?.kind === "number" || inside[2]?.text === ",");
  const isDefinition = first?.kind === "word" && after?.kind === "word";
  if (name === "VALUES" && (first?.kind === "number" || isRow || isDefinition)) return;
  const isPlain = string?.startsWith("'") === true && (after?.text === "," || after?.text === ")");
  if (!isPlain || EXPRESSION.test(string.replaceAll("\\'", ""))) {
    throw refusal(497, "ACCESS_DENIED", `The columns of ${name} must be a string of names and types alone.`);
  }
}

/** What gives a column of a list an expression, or an escape that could spell it. */
const EXPRESSION = /\\|\b(?:ALIAS|DEFAULT|EPHEMERAL|MATERIALIZED|TTL)\b/i;

/** The name that a word or quoted identifier means, escapes as they stand; empty for other tokens. */
function nameOf(text: string, token: Token): string {
  if (token.kind === "word") return text.slice(token.start, token.end);
  if (token.kind !== "quoted") return "";
  const quoteLength = text[token.start] === "\xe2" ? 3 : 1;
  return text.slice(token.start + quoteLength, token.end - quoteLength);
}
