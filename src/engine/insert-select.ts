import type { Token } from "../clickhouse/lexer.js";
import { quoteName } from "../clickhouse/quote.js";
import { refusal } from "./exception.js";
import { refuseForbidden } from "./forbidden.js";
import { afterInsertTarget, infileClause, lazyTokens, refuseHiddenData, skipToData } from "./insert-head.js";
import { parametersOf, utf8 } from "./sql-text.js";
import type { InsertStatement } from "./statement.js";

/** Tokens of an INSERT … SELECT up to its data, and where in them its parts are. */
interface Head {
  readonly tokens: readonly Token[];
  /** Index of SELECT, WITH or a bracket. */
  readonly selectAt: number;
  /** Index of the `input` of each `input('columns')`. */
  readonly inputs: readonly number[];
  /** Index of the FORMAT that ends the SELECT; its name is the last token. */
  readonly formatAt: number;
}

/** Reads up to the name of the format: what follows is data and no SQL, so no token of it is looked at. */
function readHead(text: string): Head | undefined {
  const at = lazyTokens(text);
  const targetEnd = afterInsertTarget(at);
  const tokens: Token[] = [];
  const inputs: number[] = [];
  let selectAt = -1;
  let depth = 0;
  for (let token = at(0); token !== undefined; token = at(tokens.length)) {
    tokens.push(token);
    const index = tokens.length - 1;
    if (selectAt < 0 && index >= targetEnd && isSelect(token)) selectAt = index;
    if (token.text === "(") {
      depth += 1;
      if (selectAt >= 0 && tokens[index - 1]?.text === "INPUT") inputs.push(index - 1);
    } else if (token.text === ")") depth -= 1;
    const isFormat = tokens[index - 1]?.text === "FORMAT" && token.kind === "word";
    if (depth === 0 && isFormat && inputs.length > 0)
      return { tokens, selectAt, inputs, formatAt: index - 1 };
  }
  return undefined;
}

function isSelect(token: Token): boolean {
  return token.text === "SELECT" || token.text === "WITH" || token.text === "(";
}

/**
 * The `INSERT … SELECT … FROM input('columns') FORMAT name` in `text`, whose rows follow as data; undefined when it is
 * none. The engine cannot be given that data other than inline, where it could become SQL, or takes it and stores nothing
 * (FROM INFILE). So the rows go to a temporary table first, which stands in the place of `input(…)` then.
 *
 * @param text statement and at least the start of its data, decoded as latin1
 */
export function parseInsertSelect(text: string): InsertStatement | undefined {
  const head = readHead(text);
  if (head === undefined) return undefined;
  const { tokens, selectAt, inputs, formatAt } = head;
  const statement = tokens.slice(0, formatAt);
  refuseForbidden(text, statement);
  const [at = 0, ...more] = inputs;
  const columns = tokens[at + 2]!;
  if (more.length > 0 || columns.kind !== "string" || tokens[at + 3]?.text !== ")") {
    throw refusal(62, "SYNTAX_ERROR", "Syntax error: one function input with its columns in one string.");
  }
  refuseHiddenData([...statement.slice(0, at), ...statement.slice(at + 4)]);
  const last = tokens.at(-1)!;
  const part = (start: number, end: number): string => utf8(text.slice(start, end));
  const [before, after] = [
    part(tokens[0]!.start, tokens[at]!.start),
    part(tokens[at + 3]!.end, tokens[formatAt]!.start),
  ];
  const settings = settingsOf(text, tokens, selectAt, formatAt);
  return {
    kind: "insert",
    text: part(tokens[0]!.start, last.end),
    format: part(last.start, last.end),
    isPlain: false,
    dataAt: skipToData(text, last.end),
    parameters: parametersOf(text, statement),
    fromFile: (data) => {
      const table = quoteName(data.name);
      const steps = [
        `CREATE TEMPORARY TABLE ${table} ENGINE = StripeLog AS SELECT * FROM null(${part(columns.start, columns.end)})`,
        `INSERT INTO ${table} ${infileClause(data, settings, part(last.start, last.end))}`,
        `${before}${table}${after}`,
      ];
      return { steps, finally: `DROP TEMPORARY TABLE IF EXISTS ${table}` };
    },
  };
}

/** The SETTINGS of the INSERT and of its SELECT, which hold for reading the data too. */
function settingsOf(text: string, tokens: readonly Token[], selectAt: number, formatAt: number): string {
  const lists: string[] = [];
  let depth = 0;
  tokens.forEach((token, index) => {
    if (token.text === "(") depth += 1;
    else if (token.text === ")") depth -= 1;
    if (token.text !== "SETTINGS" || depth > 0) return;
    const end = tokens[index < selectAt ? selectAt : formatAt]!.start;
    lists.push(utf8(text.slice(token.end, end)));
  });
  return lists.join("\n, ");
}
