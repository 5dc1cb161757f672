import { BlockBuilder, ValueError } from "../../native/block.js";
import type { Column, Table } from "../../schemas/table.js";
import { settableColumns } from "../settable-columns.js";
import { changingReader } from "./column-reader.js";
import { partsOfAll } from "./file-name.js";
import { hint, type MappingIssue } from "./mapping-error.js";
import type { Reader } from "./record.js";
import type { ColumnSpec, Mapping } from "./schema.js";

/** What is wrong with a mapping that is well formed, for the table it is for. */
export function mappingIssues(mapping: Mapping, table: Table): MappingIssue[] {
  const issues = columnIssues(Object.keys(mapping.columns), table, "columns.");
  const parts = partsOfAll(mapping);
  for (const [name, spec] of Object.entries(mapping.columns)) {
    for (const part of partsUsed(spec)) {
      if (parts.has(part)) continue;
      const why = `needs ${part}, which not every pattern of files gives${hint(part, parts)}`;
      issues.push({ path: `columns.${name}`, message: why });
    }
  }
  for (const [name, spec] of Object.entries(mapping.columns)) {
    const column = settableColumns(table).get(name);
    if (column !== undefined) issues.push(...textIssues(column, spec));
  }
  const used = sourcesUsed(mapping);
  for (const name of mapping.ignore) {
    if (used.has(name)) issues.push({ path: "ignore", message: `${name} is ignored and also used` });
  }
  return issues;
}

/** The texts that a spec itself gives must fit the column: a typo in one would cost every row. */
function textIssues(column: Column, spec: ColumnSpec): MappingIssue[] {
  const path = `columns.${column.name}`;
  if (spec.kind === "constant") {
    const misfit = misfitOf(
      column,
      changingReader(column.name, column.type, () => spec.constant, {}),
    );
    return misfit === undefined ? [] : [{ path: `${path}.constant`, message: misfit }];
  }
  if ((spec.kind !== "from" && spec.kind !== "file") || spec.values === undefined) return [];
  return Object.keys(spec.values).flatMap((source) => {
    const misfit = misfitOf(
      column,
      changingReader(column.name, column.type, () => source, spec),
    );
    return misfit === undefined ? [] : [{ path: `${path}.values.${source}`, message: misfit }];
  });
}

/** Why a value that does not depend on the record does not fit its column, undefined if it does. */
export function misfitOf({ name, type, required }: Column, read: Reader): string | undefined {
  try {
    const value = read({});
    if (value === undefined && !required) return undefined;
    new BlockBuilder([{ name, type, required: true }]).append({ [name]: value }, {});
    return undefined;
  } catch (error) {
    if (error instanceof ValueError) return `${error.value} ${error.reason}`;
    throw error;
  }
}

/** What is wrong with a choice of columns to fill: some are not there or not to be set, others are missing. */
export function columnIssues(names: readonly string[], table: Table, path = ""): MappingIssue[] {
  const settable = settableColumns(table);
  const issues: MappingIssue[] = [];
  for (const name of names) {
    if (settable.has(name)) continue;
    const known = table.columns.some((column) => column.name === name);
    const what = known
      ? "is not for a file to set"
      : `is no column of ${table.name}${hint(name, settable.keys())}`;
    issues.push({ path: `${path}${name}`, message: what });
  }
  for (const { name, required } of settable.values()) {
    if (required && !names.includes(name)) {
      issues.push({ path: `${path}${name}`, message: "is missing: the column is required" });
    }
  }
  return issues;
}

/** Names of file-name parts that a spec needs. */
function partsUsed(spec: ColumnSpec): string[] {
  if (spec.kind === "file") return [spec.file];
  if (spec.kind !== "time") return [];
  return [spec.date, spec.zone].flatMap((each) => (each !== undefined && "file" in each ? [each.file] : []));
}

/** Source columns that a mapping reads. */
export function sourcesUsed(mapping: Mapping): ReadonlySet<string> {
  const used = Object.values(mapping.columns).flatMap((spec) => {
    if (spec.kind === "from") return [spec.from];
    if (spec.kind === "array") return spec.array;
    if (spec.kind !== "time") return [];
    return spec.date !== undefined && "text" in spec.date ? [spec.time, spec.date.text] : [spec.time];
  });
  return new Set(used);
}
