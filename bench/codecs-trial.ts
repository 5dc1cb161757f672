import type { ClickHouse } from "../src/clickhouse/client.js";
import { DEFAULT_CODEC, type Family } from "./codecs-candidates.js";
import { type DataSet, IN_ORDER } from "./codecs-data.js";

/** One column as the engine knows it. */
export interface EngineColumn {
  readonly name: string;
  readonly type: string;
  /** `CODEC(…)` as the engine writes it, empty without one. */
  readonly codec: string;
}

/** One codec on the columns of one family, filled with one data set. */
export interface Trial {
  readonly family: string;
  readonly set: string;
  readonly codec: string;
  /** Whether the schema has these columns just so. */
  readonly isCommitted: boolean;
  /** Compressed bytes of the family's columns by row, all streams, after the last merge. */
  readonly bytes: number;
  /** Milliseconds to insert the rows, in the fastest of three rounds: a busy machine only ever adds to them. */
  readonly insertMs: number;
  /** Milliseconds to read all of them, likewise. */
  readonly readMs: number;
}

interface TrialTable {
  readonly name: string;
  readonly codec: string;
  readonly isCommitted: boolean;
}

const ROUNDS = 3;
/** A day's part is wide whatever its rows weigh; parts as small as these would be compact and cut columns in other blocks. */
export const PART_SETTINGS = "min_bytes_for_wide_part = 0, min_rows_for_wide_part = 0";

/** Columns with type and codec as they stand in the database. */
export async function engineColumns(clickhouse: ClickHouse, table: string): Promise<EngineColumn[]> {
  return await clickhouse.rows<EngineColumn>(
    `SELECT name, type, compression_codec AS codec FROM system.columns
     WHERE database = currentDatabase() AND table = '${table}' ORDER BY position`,
  );
}

/** Compressed bytes of each column in the table's active parts. */
export async function compressedBytes(
  clickhouse: ClickHouse,
  table: string,
): Promise<Record<string, number>> {
  const rows = await clickhouse.rows<{ column: string; bytes: string }>(
    `SELECT column, sum(column_data_compressed_bytes) AS bytes FROM system.parts_columns
     WHERE database = currentDatabase() AND table = '${table}' AND active GROUP BY column ORDER BY column`,
  );
  return Object.fromEntries(rows.map(({ column, bytes }) => [column, Number(bytes)]));
}

/** Tries every codec of a family on a data set, the schema's own choice among them even where the list lacks it. */
export async function tryFamily(
  clickhouse: ClickHouse,
  set: DataSet,
  family: Family,
  columns: readonly EngineColumn[],
): Promise<Trial[]> {
  const own = family.columns.map((name) => columns.find((column) => column.name === name)!);
  const tables = await createTables(clickhouse, family, own);
  const list = family.columns.join(", ");
  const insertMs = await inTurn(tables, async (name) => {
    await clickhouse.command(`TRUNCATE TABLE ${name}`);
    const source = repeated(set.name, list, set.repeat);
    return () => clickhouse.command(`INSERT INTO ${name} ${source}`, { settings: IN_ORDER });
  });
  const bytes: number[] = [];
  const digest = await digestOf(clickhouse, set.name, list);
  for (const { name, codec } of tables) {
    if (set.repeat > 1) {
      await clickhouse.command(`TRUNCATE TABLE ${name}`);
      await clickhouse.command(`INSERT INTO ${name} SELECT ${list} FROM ${set.name}`, { settings: IN_ORDER });
    }
    await clickhouse.command(`OPTIMIZE TABLE ${name} FINAL`);
    if ((await digestOf(clickhouse, name, list)) !== digest)
      throw new Error(`${family.name} of ${set.title}: ${codec} does not give back what it was given`);
    const sums = Object.values(await compressedBytes(clickhouse, name));
    bytes.push(sums.reduce((a, b) => a + b, 0) / set.rows);
  }
  const readMs = await inTurn(tables, async (name) => {
    const sql = `${repeated(name, "*", set.repeat)} FORMAT Null`;
    return () => clickhouse.command(sql, { settings: IN_ORDER });
  });
  for (const { name } of tables) await clickhouse.command(`DROP TABLE ${name}`);
  return tables.map(({ codec, isCommitted }, i) => ({
    family: family.name,
    set: set.title,
    codec,
    isCommitted,
    bytes: bytes[i]!,
    insertMs: insertMs[i]!,
    readMs: readMs[i]!,
  }));
}

/** A table of the family's columns for each codec. The engine's own spelling tells which one the schema has. */
async function createTables(
  clickhouse: ClickHouse,
  { codecs }: Family,
  columns: readonly EngineColumn[],
): Promise<TrialTable[]> {
  const tables: TrialTable[] = [];
  const create = async (codec: string, clauses: readonly string[]): Promise<void> => {
    const name = `trial_${tables.length}`;
    const list = columns.map(({ name, type }, i) => `${name} ${type} ${clauses[i]}`).join(", ");
    await clickhouse.command(
      `CREATE TABLE ${name} (${list}) ENGINE = MergeTree ORDER BY tuple() SETTINGS ${PART_SETTINGS}`,
      { settings: { allow_suspicious_codecs: 1 } },
    );
    const made = await engineColumns(clickhouse, name);
    tables.push({ name, codec, isCommitted: made.every((column, i) => column.codec === columns[i]!.codec) });
  };
  for (const codec of codecs) {
    const clause = codec === DEFAULT_CODEC ? "" : `CODEC(${codec})`;
    await create(codec, Array(columns.length).fill(clause));
  }
  if (!tables.some((table) => table.isCommitted)) {
    const clauses = columns.map((column) => column.codec);
    await create([...new Set(clauses.map((clause) => clause || DEFAULT_CODEC))].join(" / "), clauses);
  }
  return tables;
}

/** Each table once a round, so that a machine that slows down slows all of them down; returns each one's fastest. */
export async function inTurn(
  tables: readonly { readonly name: string }[],
  prepare: (name: string) => Promise<() => Promise<void>>,
): Promise<number[]> {
  const times = tables.map((): number[] => []);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [i, { name }] of tables.entries()) {
      const work = await prepare(name);
      const start = performance.now();
      await work();
      times[i]!.push(performance.now() - start);
    }
  }
  return times.map((each) => Math.min(...each));
}

function repeated(table: string, columns: string, times: number): string {
  return Array(times).fill(`SELECT ${columns} FROM ${table}`).join(" UNION ALL ");
}

/** Of the values and of their order. */
async function digestOf(clickhouse: ClickHouse, table: string, columns: string): Promise<string> {
  return await clickhouse.text(
    `SELECT count(), sum(cityHash64(tuple(rowNumberInAllBlocks(), ${columns}))) FROM ${table} FORMAT TSV`,
    { settings: IN_ORDER },
  );
}
