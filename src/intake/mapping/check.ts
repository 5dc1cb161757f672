import type { Table } from "../../schemas/table.js";
import { settableColumns } from "../settable-columns.js";
import { partsOfAll } from "./file-name.js";
import { hint, type MappingIssue } from "./mapping-error.js";
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
  const used = sourcesUsed(mapping);
  for (const name of mapping.ignore) {
    if (used.has(name)) issues.push({ path: "ignore", message: `${name} is ignored and also used` });
  }
  return issues;
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
