import { nearest } from "../base/nearest.js";
import { ConfigError } from "../config/issues.js";
import type { ConfigIssue } from "../config/layers.js";
import type { TablePolicy } from "../recorder.js";

/** A table as far as its columns are concerned. */
interface Columns {
  readonly name: string;
  readonly columns: readonly { readonly name: string }[];
}

/**
 * A policy that goes by a column which is not there would take all rows for one series without news, and leave them out.
 * @throws ConfigError with all mistakes; tables that are not given are not looked at
 */
export function requirePolicyColumns(
  tables: Readonly<Record<string, { readonly policy?: Pick<TablePolicy, "by" | "news" | "time"> }>>,
  known: Iterable<Columns>,
): void {
  const issues = [...known].flatMap(({ name, columns }) => {
    const policy = Object.hasOwn(tables, name) ? tables[name]?.policy : undefined;
    if (policy === undefined) return [];
    const names = columns.map((column) => column.name);
    return [
      ...policy.by.flatMap((column, index) => issueOf(name, `by.${index}`, column, names)),
      ...policy.news.flatMap((column, index) => issueOf(name, `news.${index}`, column, names)),
      ...(policy.time === "" ? [] : issueOf(name, "time", policy.time, names)),
    ];
  });
  if (issues.length > 0) throw new ConfigError(issues);
}

function issueOf(table: string, key: string, column: string, names: readonly string[]): ConfigIssue[] {
  if (names.includes(column)) return [];
  const close = nearest(column, names);
  const hint = close === undefined ? "" : `; did you mean ${close}?`;
  return [{ path: `tables.${table}.policy.${key}`, message: `${table} has no column ${column}${hint}` }];
}
