import { ColdpathError } from "../base/errors.js";
import { nearest } from "../base/nearest.js";
import type { ClickHouse } from "../clickhouse/client.js";
import { quoteString } from "../clickhouse/quote.js";
import { type DefaultValue, evaluateDefaults } from "./defaults.js";
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

interface DescribedTable {
  readonly database: string;
  readonly name: string;
  readonly engine: string;
  readonly partition_key: string;
  readonly columns: readonly DescribedColumn[];
}

interface DescribedColumn {
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
  const fit: DescribedTable[] = [];
  const unfit = new Map<string, string>();
  for (const table of await describe(clickhouse)) {
    const reason = whyUnfit(table);
    if (reason === undefined) fit.push(table);
    else unfit.set(table.name, reason);
  }
  return { tables: await toTables(clickhouse, fit), unfit };
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
  const described = await describe(clickhouse);
  const table = described.find((each) => each.name === name);
  if (table === undefined) {
    const close = nearest(
      name,
      described.map((each) => each.name),
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
  const reason = whyUnfit(table);
  if (reason !== undefined) {
    throw new ColdpathError("TABLE_UNKNOWN", `${name} is not a recorder table: ${reason}`);
  }
  const [found] = await toTables(clickhouse, [table]);
  return found!;
}

/** Tables behind materialized views are not anyone's to write: their names begin with `.inner`. */
async function describe(clickhouse: ClickHouse): Promise<DescribedTable[]> {
  const database = quoteString(clickhouse.options.database);
  const tables = await clickhouse.rows<Omit<DescribedTable, "columns">>(
    `SELECT database, name, engine, partition_key FROM system.tables
     WHERE database = ${database} AND NOT startsWith(name, '.inner') ORDER BY name`,
  );
  const columns = await clickhouse.rows<DescribedColumn>(
    `SELECT table, name, type, default_kind, default_expression, comment
     FROM system.columns WHERE database = ${database} ORDER BY table, position`,
  );
  return tables.map((table) => ({
    ...table,
    columns: columns.filter((column) => column.table === table.name),
  }));
}

function whyUnfit({ engine, columns }: DescribedTable): string | undefined {
  if (!ENGINES.has(engine)) return `its engine is ${engine}, not one of ${[...ENGINES].join(", ")}`;
  for (const [name, type] of Object.entries(IDENTITY)) {
    const column = columns.find((each) => each.name === name);
    if (column === undefined) {
      return `it lacks the column ${name}; ${Object.keys(IDENTITY).join(", ")} tell rows apart`;
    }
    if (!type.test(column.type)) {
      return `its column ${name} is ${column.type}; see the tables in schemas/ for the type it must have`;
    }
  }
  return undefined;
}

async function toTables(clickhouse: ClickHouse, described: readonly DescribedTable[]): Promise<Table[]> {
  const withDefault = described.flatMap(({ columns }) =>
    columns.filter((each) => each.default_kind === "DEFAULT"),
  );
  const values = await evaluateDefaults(
    clickhouse,
    withDefault.map((column) => ({ expression: column.default_expression, type: column.type })),
  );
  const defaults = new Map(withDefault.map((column, index) => [column, values[index]!]));
  return described.map(({ database, name, engine, partition_key, columns: describedColumns }) => {
    const columns = describedColumns.map((column) => toColumn(column, defaults.get(column)));
    const partitionKey = parsePartitionKey(name, partition_key, columns);
    return { database, name, columns, partitionKey, replicated: engine !== "MergeTree" };
  });
}

function toColumn(
  { name, type, comment, default_kind, default_expression }: DescribedColumn,
  value: DefaultValue | undefined,
): Column {
  const isPlain = default_kind === "";
  return {
    name,
    type,
    required: isPlain && !/^(?:LowCardinality\()?Nullable\(/.test(type),
    ...(value?.kind === "constant" ? { defaultText: value.text } : {}),
    ...(isPlain ? {} : { defaultClause: `${default_kind} ${default_expression}` }),
    // MATERIALIZED, ALIAS and EPHEMERAL have no value here.
    filledByServer: !isPlain && (value === undefined || value.kind === "computed"),
    comment,
  };
}
