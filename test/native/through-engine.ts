import type { ClickHouse } from "../../src/clickhouse/client.js";
import { BlockBuilder, type BlockColumn, type Row } from "../../src/native/block.js";

/** Strict on the way in: nothing that the engine would mend or skip passes unseen. */
const INSERT_SETTINGS = {
  async_insert: 0,
  input_format_skip_unknown_fields: 0,
  input_format_null_as_default: 0,
  input_format_native_allow_types_conversion: 0,
};
const NO_STAMP: Row = {};

let tables = 0;

/** A required column. */
export function column(name: string, type: string): BlockColumn {
  return { name, type, required: true };
}

/** Makes a table of the columns, gives its name. */
export async function createTable(clickhouse: ClickHouse, columns: readonly BlockColumn[]): Promise<string> {
  const name = `t${tables++}`;
  const list = columns.map((column) => `\`${column.name}\` ${column.type}`).join(", ");
  await clickhouse.command(`CREATE TABLE ${name} (${list}) ENGINE = Memory`, {
    settings: { allow_suspicious_low_cardinality_types: 1, flatten_nested: 0 },
  });
  return name;
}

/** Inserts rows as JSON, the way the engine itself reads text. */
export async function insertJson(clickhouse: ClickHouse, table: string, rows: readonly Row[]): Promise<void> {
  await clickhouse.insert({
    sql: `INSERT INTO ${table} FORMAT JSONEachRow`,
    body: Buffer.from(rows.map((row) => `${JSON.stringify(row)}\n`).join("")),
    settings: { ...INSERT_SETTINGS, date_time_input_format: "best_effort" },
  });
}

/** Inserts one Native block. */
export async function insertBlock(clickhouse: ClickHouse, table: string, block: Buffer): Promise<void> {
  await clickhouse.insert({
    sql: `INSERT INTO ${table} FORMAT Native`,
    body: block,
    settings: INSERT_SETTINGS,
  });
}

/** What the engine has of `expressions` over a table, one array per row, in the order of `order`. */
export async function readBack(
  clickhouse: ClickHouse,
  table: string,
  expressions: string,
  order = "tuple()",
): Promise<unknown[][]> {
  const text = await clickhouse.text(
    `SELECT ${expressions} FROM ${table} ORDER BY ${order} FORMAT JSONCompactEachRow`,
    { settings: { output_format_json_quote_64bit_integers: 1, max_threads: 1 } },
  );
  return text === "" ? [] : JSON.parse(`[${text.trimEnd().replaceAll("\n", ",")}]`);
}

/** Encodes `values` as the one column of a block, lets the engine store it and gives what `expression` of `v` says. */
export async function throughEngine(
  clickhouse: ClickHouse,
  type: string,
  values: readonly unknown[],
  expression: string,
): Promise<unknown[]> {
  const columns = [column("i", "UInt32"), column("v", type)];
  const builder = new BlockBuilder(columns);
  for (const [i, v] of values.entries()) builder.append({ i, v }, NO_STAMP);
  const table = await createTable(clickhouse, columns);
  await insertBlock(clickhouse, table, builder.encode());
  const rows = await readBack(clickhouse, table, expression, "i");
  await clickhouse.command(`DROP TABLE ${table} SYNC`);
  return rows.map((row) => row[0]);
}

/** The bytes that a builder of one column writes for the values, without the block's and the column's header. */
export function bodyOf(type: string, values: readonly unknown[]): Buffer {
  const builder = new BlockBuilder([column("v", type)]);
  for (const v of values) builder.append({ v }, NO_STAMP);
  const header = 1 + (values.length < 128 ? 1 : 2) + 1 + 1 + 1 + Buffer.byteLength(type);
  return builder.encode().subarray(header);
}
