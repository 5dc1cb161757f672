import { ColdpathError } from "../base/errors.js";
import type { ClickHouse } from "../clickhouse/client.js";
import { readDatabase } from "./introspect.js";
import type { ExpectedColumn, ExpectedTable, Table } from "./table.js";
import { EXPECTED_TABLES } from "./tables.generated.js";

/** One way in which a live table is not what is expected. */
export interface Difference {
  readonly table: string;
  /** Undefined if the table as a whole is absent or unfit. */
  readonly column?: string;
  /** Type and DEFAULT as SQL; undefined if there should be no such column. */
  readonly expected?: string;
  /** What is there instead; undefined if nothing is. */
  readonly found?: string;
  /** What to do about it; the SQL in it works as it stands. */
  readonly wayOut: string;
}

/** The live tables are not what this version of coldpath expects. */
export class SchemaMismatchError extends ColdpathError {
  override readonly name = "SchemaMismatchError";
  readonly differences: readonly Difference[];

  constructor(differences: readonly Difference[]) {
    super("SCHEMA_MISMATCH", differences.map(describeDifference).join("; "));
    this.differences = differences;
  }
}

/**
 * Reads the live tables and compares them with what this version expects: at start and after each migration.
 * @throws SchemaMismatchError with all differences; ColdpathError PARTITION_UNSUPPORTED
 */
export async function checkTables(clickhouse: ClickHouse): Promise<Table[]> {
  const { tables, unfit } = await readDatabase(clickhouse);
  const differences = compareTables(tables, EXPECTED_TABLES, unfit);
  if (differences.length > 0) throw new SchemaMismatchError(differences);
  return tables;
}

/** A file that was applied is not applied again, so what was taken away since then has to be put back by hand. */
const MIGRATE = "run coldpath migrate; if that has nothing to apply, ";

/**
 * Where the live tables are not what is expected. Tables and columns beyond that are the user's own and fine, unless
 * every row would have to carry them. `unfit` tells why a live table is not among `live`.
 */
export function compareTables(
  live: readonly Table[],
  expected: readonly ExpectedTable[],
  unfit: ReadonlyMap<string, string>,
): Difference[] {
  return expected.flatMap((wanted): Difference[] => {
    const found = live.find((table) => table.name === wanted.name);
    if (found !== undefined) return compareColumns(found, wanted);
    const recreate = "run its statement again, which coldpath migrate --print shows";
    const reason = unfit.get(wanted.name);
    if (reason === undefined) return [{ table: wanted.name, wayOut: MIGRATE + recreate }];
    return [{ table: wanted.name, found: reason, wayOut: `rename it and ${recreate}` }];
  });
}

function compareColumns(live: Table, wanted: ExpectedTable): Difference[] {
  const known = new Set(wanted.columns.map(({ name }) => name));
  const additional = live.columns
    .filter(({ name, required }) => required && !known.has(name))
    .map(({ name, type }) => ({
      table: live.name,
      column: name,
      found: type,
      wayOut: "rows without it would be refused: make it Nullable or give it a DEFAULT",
    }));
  return [...wanted.columns.flatMap((column) => compareColumn(live, column)), ...additional];
}

function compareColumn(live: Table, wanted: ExpectedColumn): Difference[] {
  const found = live.columns.find(({ name }) => name === wanted.name);
  const at = { table: live.name, column: wanted.name, expected: declaration(wanted) };
  const alter = (verb: string): string =>
    `ALTER TABLE ${live.name} ${verb} COLUMN ${wanted.name} ${declaration(wanted)}`;
  if (found === undefined) return [{ ...at, wayOut: MIGRATE + alter("ADD") }];
  const isSame =
    found.type === wanted.type &&
    found.defaultText === wanted.defaultText &&
    found.filledByServer === wanted.filledByServer;
  return isSame ? [] : [{ ...at, found: declaration(found), wayOut: alter("MODIFY") }];
}

function declaration({ type, defaultClause }: ExpectedColumn): string {
  return defaultClause === undefined ? type : `${type} ${defaultClause}`;
}

/** One line for a person. */
function describeDifference({ table, column, expected, found, wayOut }: Difference): string {
  if (column === undefined)
    return `table ${table} ${found === undefined ? "is missing" : `is unfit: ${found}`}: ${wayOut}`;
  const name = `column ${column} of ${table}`;
  if (found === undefined) return `${name} (${expected}) is missing: ${wayOut}`;
  if (expected === undefined) return `${name} (${found}) is required and not known: ${wayOut}`;
  return `${name} is ${found}, expected ${expected}: ${wayOut}`;
}
