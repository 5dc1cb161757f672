import type { z } from "zod";
import { ColdpathError } from "../base/errors.js";
import { nearest } from "../base/nearest.js";
import { KEYS, keyOf } from "./keys.js";
import { type ConfigIssue, type Layers, valueAt } from "./layers.js";

/** All mistakes of a configuration at once. */
export class ConfigError extends ColdpathError {
  override readonly name = "ConfigError";
  readonly issues: readonly ConfigIssue[];

  constructor(issues: readonly ConfigIssue[]) {
    const lines = issues.map(({ path, message }) => `  ${path === "" ? "" : `${path}: `}${message}`);
    super("CONFIG_INVALID", `the configuration has ${issues.length} mistake(s):\n${lines.join("\n")}`);
    this.issues = issues;
  }
}

/** Turns one complaint of zod into lines a person can act on: what was given, what is allowed, where it stands. */
export function describeIssue(issue: z.core.$ZodIssue, layers: Layers): ConfigIssue[] {
  const path = issue.path.map(String).join(".");
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => {
      const full = path === "" ? key : `${path}.${key}`;
      const siblings = new Set<string>();
      const depth = issue.path.length;
      for (const known of KEYS) {
        const parts = known.path.split(".");
        if (parts.slice(0, depth).every((part, i) => part === "*" || part === issue.path[i]))
          siblings.add(parts[depth]!);
      }
      const guess = nearest(key, [...siblings]);
      return {
        path: full,
        message: `unknown key${guess ? `; did you mean ${guess}?` : ""}${placeOf(layers, full)}`,
      };
    });
  }
  const allowed =
    issue.code === "invalid_value"
      ? `one of ${issue.values.map(String).join(", ")}`
      : lowerFirst(issue.message);
  const given = keyOf(path)?.secret ? "***" : preview(valueAt(layers.tree, issue.path));
  return [{ path, message: `${given} is not ${allowed}${placeOf(layers, path)}` }];
}

/** Where a value stands, for the end of a message; an unknown group counts where its first key does. */
function placeOf(layers: Layers, path: string): string {
  for (const [known, origin] of layers.origins) {
    if (known === path || known.startsWith(`${path}.`)) return ` (${origin})`;
  }
  return "";
}

function lowerFirst(text: string): string {
  return text.replace(/^Invalid input: expected /, "").replace(/, received .*$/, "");
}

function preview(value: unknown): string {
  const text = typeof value === "string" ? `"${value}"` : (JSON.stringify(value) ?? "nothing");
  const safe = text.replace(/\/\/[^/\s]*@/, "//***@");
  return safe.length > 60 ? `${safe.slice(0, 57)}…` : safe;
}
