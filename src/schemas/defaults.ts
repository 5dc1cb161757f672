import type { ClickHouse } from "../clickhouse/client.js";
import { quoteString } from "../clickhouse/quote.js";

/** What a DEFAULT is to the recorder. */
export type DefaultValue =
  | { readonly kind: "constant"; readonly text: string }
  | { readonly kind: "null" }
  /** Depends on the row or the moment: ClickHouse must work it out. */
  | { readonly kind: "computed" };

/**
 * Finds out what DEFAULT expressions give, by asking ClickHouse for their functions and then for their values: times in
 * ISO form, arrays and maps as JSON, decimals and 64-bit integers in it as strings. Each expression is asked for once.
 */
export class DefaultEvaluator {
  readonly #clickhouse: ClickHouse;
  readonly #known = new Map<string, DefaultValue>();

  constructor(clickhouse: ClickHouse) {
    this.#clickhouse = clickhouse;
  }

  /** What `expression` gives in a column of the type. */
  async evaluate(expression: string, type: string): Promise<DefaultValue> {
    const cast = `CAST(${expression}, ${quoteString(type)})`;
    const known = this.#known.get(cast);
    if (known !== undefined) return known;
    const value: DefaultValue = (await isConstant(this.#clickhouse, expression))
      ? await constant(this.#clickhouse, cast)
      : { kind: "computed" };
    this.#known.set(cast, value);
    return value;
  }
}

async function constant(clickhouse: ClickHouse, expression: string): Promise<DefaultValue> {
  const [row] = await clickhouse.rows<{ value: unknown }>(`SELECT ${expression} AS value`);
  const value = row!.value;
  if (value === null) return { kind: "null" };
  return { kind: "constant", text: typeof value === "string" ? value : JSON.stringify(value) };
}

/** True if the expression names no column and only functions that give the same for the same arguments. */
async function isConstant(clickhouse: ClickHouse, expression: string): Promise<boolean> {
  const nodes = await clickhouse.rows<{ explain: string }>(
    `SELECT explain FROM (EXPLAIN AST SELECT ${expression})`,
  );
  const functions = new Set<string>();
  for (const { explain } of nodes) {
    const [, node, name] = /^\s*(\w+)(?: (\S+))?/.exec(explain)!;
    if (node === "Identifier") return false;
    if (node === "Function") functions.add(name!);
  }
  // `deterministic` was named `is_deterministic` in older servers; where it is neither, nothing is known of functions.
  const known = await clickhouse.rows<{ name: string; deterministic?: number; is_deterministic?: number }>(
    `SELECT * FROM system.functions WHERE name IN (${[...functions].map(quoteString).join() || "''"})`,
  );
  return [...functions].every((name) =>
    known.some((each) => each.name === name && (each.deterministic ?? each.is_deterministic) === 1),
  );
}
