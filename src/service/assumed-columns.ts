import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Config } from "../config/schema.js";
import { EXPECTED_TABLES } from "../schemas/tables.generated.js";

/** A table and the names that may be columns of it. */
interface AssumedColumns {
  readonly name: string;
  readonly columns: readonly { readonly name: string }[];
}

/**
 * What columns the configured tables have as far as that is known without ClickHouse: those of this version, and every word of the user's own
 * SQL files. Tables that stand in neither are left out.
 */
export function assumedColumns({ tables, schemas }: Config): AssumedColumns[] {
  const words = new Set(schemas.flatMap((folder) => sqlIn(folder).match(/\w+/g) ?? []));
  const own = [...words].map((name) => ({ name }));
  return Object.keys(tables).flatMap((name) => {
    const expected = EXPECTED_TABLES.find((table) => table.name === name);
    if (expected === undefined && !words.has(name)) return [];
    return [{ name, columns: [...(expected?.columns ?? []), ...own] }];
  });
}

function sqlIn(folder: string): string {
  const files = readdirSync(folder).filter((name) => name.endsWith(".sql"));
  return files.map((name) => readFileSync(join(folder, name), "utf8")).join("\n");
}
