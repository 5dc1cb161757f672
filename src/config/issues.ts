import type { z } from "zod";
import { ColdpathError } from "../base/errors.js";
import { nearest } from "../base/nearest.js";
import { KEYS, keyOf, shownText } from "./keys.js";
import { type ConfigIssue, type Layers, valueAt } from "./layers.js";
import type { Config } from "./schema.js";

const GIVEN_MAX = 60;

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
      const hint =
        nested(key, full) ?? (guess ? `did you mean ${guess}?` : `there are ${[...siblings].join(", ")}`);
      return { path: full, message: `unknown key; ${hint}${placeOf(layers, full)}` };
    });
  }
  const allowed =
    issue.code === "invalid_value"
      ? `one of ${issue.values.map(String).join(", ")}`
      : expectation(issue.message);
  const given = mayBeSecret(path) ? "***" : preview(valueAt(layers.tree, issue.path));
  return [{ path, message: `${given} is not ${allowed}${placeOf(layers, path)}` }];
}

/** The same with what was given and where, for a mistake that values make only together. */
export function withGiven({ path, message }: ConfigIssue, config: Config, layers: Layers): ConfigIssue {
  const key = keyOf(path);
  const given = key === undefined ? null : shownText(key, valueAt(config, path.split(".")));
  const isShort = given !== null && given !== "" && given.length <= GIVEN_MAX && !message.includes(given);
  const place = placeOf(layers, path);
  if (!isShort) return { path, message: `${message}${place}` };
  return {
    path,
    message: `${message} (${given}${place === "" ? ", the default" : `, ${place.slice(2, -1)}`})`,
  };
}

/** Where a value stands, for the end of a message; an unknown group counts where its first key does, an element where its list does. */
function placeOf(layers: Layers, path: string): string {
  for (const [known, origin] of layers.origins) {
    if (known === path || known.startsWith(`${path}.`) || path.startsWith(`${known}.`)) return ` (${origin})`;
  }
  return "";
}

/** How to write a key whose whole path was written as one. */
function nested(key: string, full: string): string | undefined {
  const parts = key.split(".");
  if (parts.length === 1 || keyOf(full) === undefined) return undefined;
  return `nest it: ${parts.join(": { ")}: …${" }".repeat(parts.length - 1)}`;
}

/** What the file format calls the types of zod. */
const TYPE_NAMES: Readonly<Record<string, string>> = {
  object: "a group of keys",
  array: "a list",
  string: "text",
};

function expectation(text: string): string {
  const expected = text.replace(/^Invalid input: expected /, "").replace(/, received .*$/, "");
  return TYPE_NAMES[expected] ?? expected;
}

/** What stands in place of a group may be meant for the secret in it. */
function mayBeSecret(path: string): boolean {
  return KEYS.some((key) => key.secret === true && (key.path === path || key.path.startsWith(`${path}.`)));
}

function preview(value: unknown): string {
  const text =
    typeof value === "string"
      ? `"${value}"`
      : typeof value === "number"
        ? String(value)
        : (JSON.stringify(value) ?? "nothing");
  // An address may carry a password, in more ways than can be told apart from harmless text.
  if (/[@?]|:\/\/[^/]*:(?!\d+(?:["/]|$))/.test(text)) return "***";
  return text.length > GIVEN_MAX ? `${text.slice(0, GIVEN_MAX - 3)}…` : text;
}
