import { isDeepStrictEqual } from "node:util";
import { ColdpathError } from "../base/errors.js";
import { compareTables, SchemaMismatchError } from "./compare.js";
import type { Database } from "./introspect.js";
import type { Column, ExpectedTable, PartitionKey, Table } from "./table.js";
import { EXPECTED_TABLES } from "./tables.generated.js";

/** A table as it should be, for rows that are taken while ClickHouse cannot be asked how it is. */
export class AssumedTable implements Table {
  readonly database: string;
  readonly name: string;
  readonly columns: readonly Column[];
  readonly partitionKey: PartitionKey;
  /** As the live table says; nobody asks before there is one. */
  replicated = false;

  constructor({ database, name, columns, partitionKey }: Omit<Table, "replicated">) {
    this.database = database;
    this.name = name;
    this.columns = columns;
    this.partitionKey = partitionKey;
  }

  /** Why rows that were cut for this table cannot be sent to the live one; undefined if they can. */
  compare({ tables, unfit }: Database): ColdpathError | undefined {
    const live = tables.find(({ name }) => name === this.name);
    const differences = compareTables(tables, [this], unfit);
    if (differences.length > 0) return new SchemaMismatchError(differences);
    if (!isDeepStrictEqual(live!.partitionKey, this.partitionKey))
      return new ColdpathError(
        "SCHEMA_MISMATCH",
        `table ${this.name} is partitioned otherwise than its rows were cut while ClickHouse was away: ` +
          "restart the recorder, which then cuts them as the table is and sends these as they are",
      );
    this.replicated = live!.replicated;
    return undefined;
  }

  /** Columns of the live table that rows could set, and that are not known here. */
  unknownColumns({ tables }: Database): string[] {
    const live = tables.find(({ name }) => name === this.name)?.columns ?? [];
    return live
      .filter(({ name, filledByServer }) => !filledByServer && this.columns.every((own) => own.name !== name))
      .map(({ name }) => name);
  }
}

/**
 * The tables of those names as far as they are known without ClickHouse: our own as this version expects them, with the columns that
 * users gave them, others as they were when they were last `seen`.
 * @throws ColdpathError TABLE_UNKNOWN for a table that is not ours and was never seen
 */
export function assumeTables(
  names: readonly string[],
  database: string,
  seen: readonly Table[],
): AssumedTable[] {
  return names.map((name) => {
    const before = seen.find((table) => table.name === name && table.database === database);
    const own = EXPECTED_TABLES.find((table) => table.name === name);
    if (own !== undefined) return new AssumedTable({ database, ...joined(own, before) });
    if (before !== undefined) return new AssumedTable(before);
    throw new ColdpathError(
      "TABLE_UNKNOWN",
      `table ${name} is not one of coldpath's, so its columns are not known before ClickHouse has answered once`,
    );
  });
}

function joined(own: ExpectedTable, seen: Table | undefined): Omit<Table, "database" | "replicated"> {
  const known = new Set(own.columns.map(({ name }) => name));
  return {
    name: own.name,
    columns: [
      ...own.columns.map((column) => ({ ...column, comment: "" })),
      ...(seen?.columns ?? []).filter(({ name }) => !known.has(name)),
    ],
    partitionKey: seen?.partitionKey ?? own.partitionKey,
  };
}
