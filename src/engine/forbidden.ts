import type { Token } from "../clickhouse/lexer.js";
import { refusal } from "./exception.js";

/**
 * What no statement over HTTP may hold, because the engine runs in the user's own process rights and its grants do not
 * cover it. Grants (`server-config.ts`) cover tables, table functions and table engines; here is the rest.
 */

/** Functions that read files of this machine or run text that these rules would not see; dictionary sources elsewhere. */
const FUNCTIONS: ReadonlySet<string> = new Set([
  ...["FILE", "CATBOOSTEVALUATE", "EXECUTABLE", "EVAL"],
  ...["CASSANDRA", "HTTP", "JDBC", "LIBRARY", "MONGODB", "MYSQL", "ODBC", "POSTGRESQL", "REDIS", "YTSAURUS"],
]);

/** Settings that name files or hosts, hold expressions, or change how a statement is read. */
const SETTINGS: ReadonlySet<string> = new Set([
  "ADDITIONAL_RESULT_FILTER",
  "ADDITIONAL_TABLE_FILTERS",
  "DIALECT",
  "FORMAT_AVRO_SCHEMA_REGISTRY_URL",
  "FORMAT_SCHEMA",
  "FORMAT_SCHEMA_MESSAGE_NAME",
  "FORMAT_SCHEMA_SOURCE",
  "FORMAT_TEMPLATE_RESULTSET",
  "FORMAT_TEMPLATE_ROW",
  "INPUT_FORMAT_RECORD_ERRORS_FILE_PATH",
  "OUTPUT_FORMAT_SCHEMA",
  "RENAME_FILES_AFTER_PROCESSING",
]);

/** @throws ClickHouseError 452 for a setting that is not let through */
export function refuseForbiddenSetting(name: string): void {
  if (!SETTINGS.has(name.toUpperCase())) return;
  throw refusal(452, "SETTING_CONSTRAINT_VIOLATION", `Setting ${name} is not allowed over HTTP.`);
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
    if (next !== "(" && next !== "=") return;
    const name = nameOf(text, token);
    if (name.includes("\\")) {
      // An escape could spell any name in a way that is not recognised here.
      throw refusal(
        62,
        "SYNTAX_ERROR",
        `Syntax error: a quoted name with a backslash before ${next} is not allowed.`,
      );
    }
    if (next === "=") refuseForbiddenSetting(name);
    else if (FUNCTIONS.has(name.toUpperCase())) {
      throw refusal(497, "ACCESS_DENIED", `Function ${name} is not allowed over HTTP.`);
    }
  });
}

/** The name that a word or quoted identifier means, escapes as they stand; empty for other tokens. */
function nameOf(text: string, token: Token): string {
  if (token.kind === "word") return text.slice(token.start, token.end);
  if (token.kind !== "quoted") return "";
  const quoteLength = text[token.start] === "\xe2" ? 3 : 1;
  return text.slice(token.start + quoteLength, token.end - quoteLength);
}
