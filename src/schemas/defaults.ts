import type { ClickHouse } from "../clickhouse/client.js";
import { quoteString } from "../clickhouse/quote.js";

/** A DEFAULT and the type of its column. */
export interface DefaultExpression {
  readonly expression: string;
  readonly type: string;
}

/** What a DEFAULT is to the recorder. */
export type DefaultValue =
  | { readonly kind: "constant"; readonly text: string }
  | { readonly kind: "null" }
  /** Depends on the row or the moment: ClickHouse must work it out. */
  | { readonly kind: "computed" };

/**
 * Finds out what DEFAULT expressions give, by asking ClickHouse what they are made of and then for the values of those
 * that are constant: times in ISO form, arrays and maps as JSON, with decimals and 64-bit integers in it as strings.
 */
export async function evaluateDefaults(
  clickhouse: ClickHouse,
  defaults: readonly DefaultExpression[],
): Promise<DefaultValue[]> {
  if (defaults.length === 0) return [];
  const areConstant = await findConstants(
    clickhouse,
    defaults.map(({ expression }) => expression),
  );
  const casts = defaults.map(({ expression, type }, index) =>
    areConstant[index] ? `CAST(${expression}, ${quoteString(type)}) AS v${index}` : `NULL AS v${index}`,
  );
  const [values] = await clickhouse.rows<Readonly<Record<string, unknown>>>(`SELECT ${casts.join()}`, {
    settings: {
      // Unquoted, nan and the infinities would come as null.
      output_format_json_quote_denormals: 1,
      // The table has the type already.
      allow_suspicious_low_cardinality_types: 1,
    },
  });
  return defaults.map((_, index): DefaultValue => {
    const value = values![`v${index}`];
    if (!areConstant[index]) return { kind: "computed" };
    if (value === null) return { kind: "null" };
    return { kind: "constant", text: typeof value === "string" ? value : JSON.stringify(value) };
  });
}

/** Which of the expressions name no column and only functions that give the same for the same arguments. */
async function findConstants(clickhouse: ClickHouse, expressions: readonly string[]): Promise<boolean[]> {
  // As a subquery it would need the right to create temporary tables, and FORMAT behind it would be explained too.
  const tree = await clickhouse.text(`EXPLAIN AST SELECT ${expressions.join()}`, {
    settings: { default_format: "TSV" },
  });
  const trees = treesOf(tree.trimEnd().split("\n"));
  const names = new Set(trees.flatMap(({ functions }) => functions));
  const deterministic = await readDeterministic(clickhouse, [...names]);
  return trees.map(
    ({ functions, hasColumn }) => !hasColumn && functions.every((name) => deterministic.has(name)),
  );
}

interface ExpressionTree {
  readonly functions: string[];
  hasColumn: boolean;
}

/** Depth at which EXPLAIN AST prints what a SELECT selects. */
const EXPRESSION = /^ {4}\S/;

/**
 * What each selected expression is made of; one node is one line, indented by its depth. What follows the expressions
 * (an implied FROM) makes a tree beyond theirs.
 */
function treesOf(lines: readonly string[]): ExpressionTree[] {
  const trees: ExpressionTree[] = [];
  for (const line of lines) {
    if (EXPRESSION.test(line)) trees.push({ functions: [], hasColumn: false });
    const [, node, name] = /^ *(\w+)(?: (\S+))?/.exec(line)!;
    if (node === "Function") trees.at(-1)?.functions.push(name!.toLowerCase());
    if (node === "Identifier") trees.at(-1)!.hasColumn = true;
  }
  return trees;
}

/** Those of the functions, in lower case, that ClickHouse says are deterministic; it is silent about users' own. */
async function readDeterministic(
  clickhouse: ClickHouse,
  names: readonly string[],
): Promise<ReadonlySet<string>> {
  if (names.length === 0) return new Set();
  // The column was named `is_deterministic` in older servers.
  const known = await clickhouse.rows<{ name: string; deterministic?: number; is_deterministic?: number }>(
    `SELECT lower(name) AS name, COLUMNS('^(is_)?deterministic$') FROM system.functions
     WHERE lower(functions.name) IN (${names.map(quoteString).join()})`,
  );
  return new Set(
    known.filter((each) => (each.deterministic ?? each.is_deterministic) === 1).map(({ name }) => name),
  );
}
