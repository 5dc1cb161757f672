import { ColdpathError } from "../base/errors.js";
import { nearest } from "../base/nearest.js";
import type { ClickHouse } from "../clickhouse/client.js";
import { quoteString } from "../clickhouse/quote.js";
import { DefaultEvaluator, type DefaultValue } from "./defaults.js";
import { parsePartitionKey } from "./partition.js";
import type { Column, Table } from "./table.js";

/** Engines that keep every row they are given: others merge rows away, and the recorder counts its rows back. */
const ENGINES: ReadonlySet<string> = new Set(["MergeTree", "ReplicatedMergeTree", "SharedMergeTree"]);

/** Columns that tell rows apart and let the recorder find them again, with the types they must have. */
const IDENTITY: Readonly<Record<string, RegExp>> = {
  env: /^(LowCardinality\()?String\)?$/,
  recorder: /^(LowCardinality\()?String\)?$/,
  run: /^UInt64$/,
  seq: /^UInt64$/,
  source: /^(LowCardinality\()?String\)?$/,
  source_seq: /^Nullable\(UInt64\)$/,
};

interface TableRow {
  readonly database: string;
  readonly name: string;
  readonly engine: string;
  readonly partition_key: string;
}

interface ColumnRow {
  readonly table: string;
  readonly name: string;
  readonly type: string;
  readonly default_kind: string;
  readonly default_expression: string;
  readonly comment: string;
}

/** The tables of a database as far as the recorder is concerned. */
export interface Database {
  /** Those it can write, by name. */
  readonly tables: Table[];
  /** Why it cannot write the others (views, tables without the recorder's columns), by name. */
  readonly unfit: ReadonlyMap<string, string>;
}

/**
 * What ClickHouse says of all tables of the database.
 * @throws ColdpathError PARTITION_UNSUPPORTED
 */
export async function readDatabase(clickhouse: ClickHouse): Promise<Database> {
  const described = await describe(clickhouse);
  const defaults = new DefaultEvaluator(clickhouse);
  const tables: Table[] = [];
  const unfit = new Map<string, string>();
  for (const row of described.tables) {
    const columns = described.columns.filter((each) => each.table === row.name);
    const reason = whyUnfit(row, columns);
    if (reason === undefined) tables.push(await toTable(defaults, row, columns));
    else unfit.set(row.name, reason);
  }
  return { tables, unfit };
}

/**
 * All tables of the database that the recorder can write, by name.
 * @throws ColdpathError PARTITION_UNSUPPORTED
 */
export async function readTables(clickhouse: ClickHouse): Promise<Table[]> {
  return (await readDatabase(clickhouse)).tables;
}

/**
 * What ClickHouse says of one table.
 * @throws ColdpathError TABLE_UNKNOWN if it is absent or not one that the recorder can write, PARTITION_UNSUPPORTED.
 */
export async function readTable(clickhouse: ClickHouse, name: string): Promise<Table> {
  const { tables, columns } = await describe(clickhouse);
  const row = tables.find((each) => each.name === name);
  if (row === undefined) {
    const close = nearest(
      name,
      tables.map((each) => each.name),
    );
    const hint =
      close === undefined
        ? "run coldpath migrate, or put its SQL file into a schemas folder"
        : `did you mean ${close}?`;
    throw new ColdpathError(
      "TABLE_UNKNOWN",
      `there is no table ${name} in ${clickhouse.options.database}: ${hint}`,
    );
  }
  const own = columns.filter((each) => each.table === name);
  const reason = whyUnfit(row, own);
  if (reason !== undefined)
    throw new ColdpathError("TABLE_UNKNOWN", `${name} is not a recorder table: ${reason}`);
  return await toTable(new DefaultEvaluator(clickhouse), row, own);
}

/** Tables behind materialized views are not anyone's to write: their names begin with `.inner`. */
async function describe(clickhouse: ClickHouse): Promise<{ tables: TableRow[]; columns: ColumnRow[] }> {
  const database = quoteString(clickhouse.options.database);
  const tables = await clickhouse.rows<TableRow>(
    `SELECT database, name, engine, partition_key FROM system.tables WHERE database = ${database} AND NOT startsWith(name, '.inner') ORDER BY name`,
  );
  const columns = await clickhouse.rows<ColumnRow>(
    `SELECT table, name, type, default_kind, default_expression, comment
     FROM system.columns WHERE database = ${database} ORDER BY table, position`,
  );
  return { tables, columns };
}

function whyUnfit(table: TableRow, columns: readonly ColumnRow[]): string | undefined {
  if (!ENGINES.has(table.engine))
    return `its engine is ${table.engine}, not one of ${[...ENGINES].join(", ")}`;
  for (const [name, type] of Object.entries(IDENTITY)) {
    const column = columns.find((each) => each.name === name);
    if (column === undefined)
      return `it lacks the column ${name}, which identifies rows with ${Object.keys(IDENTITY).join(", ")}`;
    if (!type.test(column.type))
      return `its column ${name} is ${column.type}, see the tables in schemas/ for the type it must have`;
  }
  return undefined;
}

async function toTable(
  defaults: DefaultEvaluator,
  row: TableRow,
  columnRows: readonly ColumnRow[],
): Promise<Table> {
  const columns: Column[] = [];
  for (const each of columnRows) columns.push(await toColumn(defaults, each));
  const partitionKey = parsePartitionKey(row.name, row.partition_key, columns);
  return { database: row.database, name: row.name, columns, partitionKey };
}

async function toColumn(defaults: DefaultEvaluator, row: ColumnRow): Promise<Column> {
  const { name, type, comment } = row;
  const value = await defaultOf(defaults, row);
  return {
    name,
    type,
    required: row.default_kind === "" && !isNullable(type),
    ...(value.kind === "constant" ? { defaultText: value.text } : {}),
    filledByServer: value.kind === "computed",
    comment,
  };
}

async function defaultOf(defaults: DefaultEvaluator, row: ColumnRow): Promise<DefaultValue> {
  if (row.default_kind === "") return { kind: "null" };
  if (row.default_kind !== "DEFAULT") return { kind: "computed" };
  return await defaults.evaluate(row.default_expression, row.type);
}

function isNullable(type: string): boolean {
  return /^(?:LowCardinality\()?Nullable\(/.test(type);
}
