import type { ClickHouse } from "../src/clickhouse/client.js";
import { FAMILIES, type WholeSchema } from "./codecs-candidates.js";
import { type DataSet, IN_ORDER } from "./codecs-data.js";
import { compressedBytes, type EngineColumn, inTurn, PART_SETTINGS } from "./codecs-trial.js";

/** All columns of market_data under one set of codecs, filled with one data set. */
export interface WholeTrial {
  readonly schema: string;
  readonly set: string;
  /** Compressed bytes by row, all columns, after the last merge. */
  readonly bytes: number;
  /** The same of each column. */
  readonly columns: Readonly<Record<string, number>>;
  /** Milliseconds to insert the rows, in the fastest of the rounds. */
  readonly insertMs: number;
  /** Milliseconds to read all columns of the merged parts, likewise. */
  readonly readMs: number;
}

/** Tables like market_data, with its own keys, partitions and indices, one for each set of codecs. */
export async function tryWhole(
  clickhouse: ClickHouse,
  set: DataSet,
  schemas: readonly WholeSchema[],
  columns: readonly EngineColumn[],
): Promise<WholeTrial[]> {
  const tables = schemas.map((schema, i) => ({ name: `whole_${i}`, schema }));
  for (const { name, schema } of tables) await createTable(clickhouse, name, schema, columns);
  const insertMs = await inTurn(tables, async (name) => {
    await clickhouse.command(`TRUNCATE TABLE ${name}`);
    return () => clickhouse.command(`INSERT INTO ${name} SELECT * FROM ${set.name}`, { settings: IN_ORDER });
  });
  const bytes: (readonly (readonly [string, number])[])[] = [];
  for (const { name } of tables) {
    await clickhouse.command(`OPTIMIZE TABLE ${name} FINAL`);
    const sums = Object.entries(await compressedBytes(clickhouse, name));
    bytes.push(sums.map(([column, sum]) => [column, sum / set.rows] as const));
  }
  const readMs = await inTurn(
    tables,
    async (name) => () => clickhouse.command(`SELECT * FROM ${name} FORMAT Null`, { settings: IN_ORDER }),
  );
  for (const { name } of tables) await clickhouse.command(`DROP TABLE ${name}`);
  return tables.map(({ schema }, i) => ({
    schema: schema.name,
    set: set.title,
    bytes: bytes[i]!.reduce((sum, [, each]) => sum + each, 0),
    columns: Object.fromEntries(bytes[i]!),
    insertMs: insertMs[i]!,
    readMs: readMs[i]!,
  }));
}

async function createTable(
  clickhouse: ClickHouse,
  name: string,
  schema: WholeSchema,
  columns: readonly EngineColumn[],
): Promise<void> {
  await clickhouse.command(`CREATE TABLE ${name} AS market_data`);
  const changes = [
    // The recorded rows are years old and would expire on the way in.
    "REMOVE TTL",
    `MODIFY SETTING ${[PART_SETTINGS, schema.settings ?? []].flat().join(", ")}`,
    ...codecChanges(schema, columns),
  ];
  for (const change of changes) {
    await clickhouse.command(`ALTER TABLE ${name} ${change}`, { settings: { allow_suspicious_codecs: 1 } });
  }
}

function codecChanges({ codecOf }: WholeSchema, columns: readonly EngineColumn[]): string[] {
  if (codecOf === undefined) return [];
  return columns.flatMap(({ name, codec }) => {
    const wanted = codecOf(FAMILIES.find((family) => family.columns.includes(name))!.name);
    if (wanted !== undefined) return [`MODIFY COLUMN ${name} CODEC(${wanted})`];
    return codec === "" ? [] : [`MODIFY COLUMN ${name} REMOVE CODEC`];
  });
}
