import { readFileSync } from "node:fs";
import { isMap, LineCounter, parseDocument } from "yaml";
import type { z } from "zod";
import { ColdpathError, messageOf } from "../../base/errors.js";
import type { Table } from "../../schemas/table.js";
import { columnIssues, mappingIssues } from "./check.js";
import { hint, MappingError, type MappingIssue } from "./mapping-error.js";
import { keysAt, MAPPING_SCHEMA, type Mapping } from "./schema.js";

/**
 * Reads the mapping of files to a table.
 *
 * @throws MappingError with every mistake found, never just the first.
 */
export function loadMapping(file: string, table: Table): Mapping {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw new ColdpathError("MAPPING_INVALID", `cannot read the mapping: ${messageOf(error)}`);
  }
  return parseMapping(text, file, table);
}

/** {@link loadMapping} of a text; `file` is the name that messages show. */
export function parseMapping(text: string, file: string, table: Table): Mapping {
  const subject = `the mapping ${file}`;
  const lines = new LineCounter();
  // The failsafe schema reads every scalar as text.
  const document = parseDocument(text, { lineCounter: lines, schema: "failsafe" });
  const broken = document.errors.map((error) => ({ path: "", message: error.message.split("\n", 1)[0]! }));
  if (broken.length > 0) throw new MappingError(subject, broken);
  if (!isMap(document.contents)) {
    throw new MappingError(subject, [{ path: "", message: "it holds no keys and values" }]);
  }
  const given = document.toJS() as Readonly<Record<string, unknown>>;
  const result = MAPPING_SCHEMA.safeParse(given);
  const lineOf = (path: readonly PropertyKey[]): string => {
    const node = document.getIn(path, true) as { range?: [number, number, number] } | undefined;
    return node?.range === undefined ? "" : ` (line ${lines.linePos(node.range[0]).line})`;
  };
  const issues: MappingIssue[] = result.success
    ? mappingIssues(result.data, table)
    : result.error.issues.flatMap((issue) =>
        describe(issue, given).map(({ path, message }) => ({
          path: path.map(String).join("."),
          message: `${message}${lineOf(path)}`,
        })),
      );
  // Whatever else is wrong, the names of the columns can be compared with the table's.
  const { columns } = given;
  if (!result.success && typeof columns === "object" && columns !== null) {
    issues.push(...columnIssues(Object.keys(columns), table, "columns."));
  }
  if (!result.success || issues.length > 0) throw new MappingError(subject, issues);
  return result.data;
}

interface Described {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

function describe(issue: z.core.$ZodIssue, given: unknown): Described[] {
  const { path } = issue;
  const value = path.reduce((node, key) => (node as Record<PropertyKey, unknown> | undefined)?.[key], given);
  if (issue.code === "unrecognized_keys") {
    const allowed = keysAt(path, value);
    return issue.keys.map((key) => ({ path: [...path, key], message: `unknown key${hint(key, allowed)}` }));
  }
  if (issue.code === "custom" && issue.params?.["whole"] === true) return [{ path, message: issue.message }];
  if (value === undefined) return [{ path, message: "is missing" }];
  return [{ path, message: `${preview(value)} is not ${allowedBy(issue)}` }];
}

function allowedBy(issue: z.core.$ZodIssue): string {
  if (issue.code === "invalid_value") return `one of ${issue.values.map(String).join(", ")}`;
  if (issue.code !== "invalid_type" || !issue.message.startsWith("Invalid input")) return issue.message;
  return issue.expected === "array" ? "a list" : issue.expected === "string" ? "a text" : "a group of keys";
}

function preview(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 59)}…` : text;
}
