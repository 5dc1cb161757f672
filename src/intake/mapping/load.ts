import { readFileSync } from "node:fs";
import { isMap, LineCounter, parseDocument } from "yaml";
import type { z } from "zod";
import { ColdpathError, messageOf } from "../../base/errors.js";
import { nearest } from "../../base/nearest.js";
import { keysAt, MAPPING_SCHEMA, type Mapping } from "./schema.js";

/** One mistake in a mapping file. */
export interface MappingIssue {
  /** `columns.ts_exchange.unit`; empty for the file as a whole. */
  readonly path: string;
  readonly message: string;
}

/** All mistakes of a mapping, or of a file that is to be read with it, at once. */
export class MappingError extends ColdpathError {
  override readonly name = "MappingError";
  readonly issues: readonly MappingIssue[];

  /** `subject` is what has the mistakes, such as `the mapping fx.yaml`. */
  constructor(subject: string, issues: readonly MappingIssue[]) {
    const lines = issues.map(({ path, message }) => `  ${path === "" ? "" : `${path}: `}${message}`);
    const count = issues.length === 1 ? "a mistake" : `${issues.length} mistakes`;
    super("MAPPING_INVALID", `${subject} has ${count}:\n${lines.join("\n")}`);
    this.issues = issues;
  }
}

/**
 * Reads a mapping file.
 *
 * @throws MappingError with every mistake found, never just the first.
 */
export function loadMapping(file: string): Mapping {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw new ColdpathError("MAPPING_INVALID", `cannot read the mapping: ${messageOf(error)}`);
  }
  return parseMapping(text, file);
}

/** {@link loadMapping} of a text; `file` is the name that messages show. */
export function parseMapping(text: string, file: string): Mapping {
  const subject = `the mapping ${file}`;
  const lines = new LineCounter();
  // The failsafe schema reads every scalar as text.
  const document = parseDocument(text, { lineCounter: lines, schema: "failsafe" });
  const broken = document.errors.map((error) => ({ path: "", message: error.message.split("\n", 1)[0]! }));
  if (broken.length > 0) throw new MappingError(subject, broken);
  if (!isMap(document.contents)) {
    throw new MappingError(subject, [{ path: "", message: "it holds no keys and values" }]);
  }
  const given: unknown = document.toJS();
  const result = MAPPING_SCHEMA.safeParse(given);
  if (result.success) return result.data;
  const lineOf = (path: readonly PropertyKey[]): string => {
    const node = document.getIn(path, true) as { range?: [number, number, number] } | undefined;
    return node?.range === undefined ? "" : ` (line ${lines.linePos(node.range[0]).line})`;
  };
  const issues = result.error.issues.flatMap((issue) =>
    describe(issue, given).map(({ path, message }) => ({
      path: path.map(String).join("."),
      message: `${message}${lineOf(path)}`,
    })),
  );
  throw new MappingError(subject, issues);
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

/** `; did you mean …?`, or the whole list when nothing is near. */
export function hint(key: string, allowed: Iterable<string>): string {
  const names = [...allowed];
  return didYouMean(key, names) || (names.length === 0 ? "" : `; known are ${names.join(", ")}`);
}

/** `; did you mean …?`, or nothing. */
export function didYouMean(key: string, allowed: Iterable<string>): string {
  const guess = nearest(key, allowed);
  return guess === undefined ? "" : `; did you mean ${guess}?`;
}

function preview(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 59)}…` : text;
}
