import { isDeepStrictEqual } from "node:util";
import { tableIssues } from "./check.js";
import { type Key, keyOf, shownText } from "./keys.js";
import { type Tree, valueAt } from "./layers.js";
import type { LoadedConfig } from "./load.js";
import type { Config } from "./schema.js";
import { shownPaths } from "./show.js";

/** A value that is another, as the file would write it; secrets are `***`, null is none. */
export interface ChangedValue {
  readonly path: string;
  readonly from: string | null;
  readonly to: string | null;
}

/** What becomes of a configuration that was loaded beside a running recorder. */
export interface ReloadReport {
  readonly applied: readonly ChangedValue[];
  /** These stay as they were, each for its reason. */
  readonly needsRestart: readonly (ChangedValue & { readonly reason: string })[];
}

/** The same, and what is in force with it: every value with its origin. */
export interface Reload extends ReloadReport {
  readonly inForce: LoadedConfig;
}

interface Change extends ChangedValue {
  readonly parts: readonly string[];
  /** Undefined if it can be applied. */
  reason: string | undefined;
}

/** Which values of the next configuration hold at once, and which of those in force stay until a restart. Changes nothing. */
export function planReload(now: LoadedConfig, next: LoadedConfig): Reload {
  const changes = [...tableChanges(now.config, next.config), ...valueChanges(now.config, next.config)];
  const config = settleContradictions(now.config, next.config, changes);
  const staying = changes.filter(({ reason }) => reason !== undefined);
  const stays = (path: string): boolean =>
    staying.some((change) => path === change.path || path.startsWith(`${change.path}.`));
  return {
    inForce: {
      config,
      originOf: (path) => (stays(path) ? now : next).originOf(path),
      warnings: next.warnings,
    },
    applied: changes.filter(({ reason }) => reason === undefined).map(changedValue),
    needsRestart: staying.map((change) => ({ ...changedValue(change), reason: change.reason! })),
  };
}

function changedValue({ path, from, to }: Change): ChangedValue {
  return { path, from, to };
}

/** Tables that only one of them has. */
function tableChanges(now: Config, next: Config): Change[] {
  const reason = "tables are opened at the start";
  const of = (name: string, from: string | null, to: string | null): Change => {
    const parts = ["tables", name];
    return { path: parts.join("."), parts, from, to, reason };
  };
  const isNew = (name: string): boolean => !Object.hasOwn(now.tables, name);
  const isGone = (name: string): boolean => !Object.hasOwn(next.tables, name);
  return [
    ...Object.keys(next.tables)
      .filter(isNew)
      .map((name) => of(name, null, "a table")),
    ...Object.keys(now.tables)
      .filter(isGone)
      .map((name) => of(name, "a table", null)),
  ];
}

/** Values that both have and that differ. */
function valueChanges(now: Config, next: Config): Change[] {
  const both = new Set(shownPaths(next));
  return shownPaths(now).flatMap((path) => {
    const parts = path.split(".");
    const from = valueAt(now, parts);
    const to = valueAt(next, parts);
    if (!both.has(path) || isDeepStrictEqual(from, to)) return [];
    const key: Key = keyOf(path)!;
    const reason = key.restart === false ? undefined : key.restart;
    return [{ path, parts, from: shownText(key, from), to: shownText(key, to), reason }];
  });
}

/**
 * The values in force with those that can be applied. What can be would contradict, in its table, what has to wait for a restart: then it
 * waits, too.
 */
function settleContradictions(now: Config, next: Config, changes: readonly Change[]): Config {
  for (const name of Object.keys(now.tables)) {
    const own = changes.filter(({ parts }) => parts[0] === "tables" && parts[1] === name);
    // A ladder that nobody wrote follows from the class.
    if (own.some(({ parts }) => parts[2] === "class"))
      for (const change of own) if (change.parts[2] === "degrade") change.reason ??= "it goes with class";
    const [issue] = tableIssues(name, withChanges(now, next, changes));
    if (issue === undefined) continue;
    const reason = `it goes with what needs a restart, else ${issue.path} ${issue.message}`;
    for (const change of own) change.reason ??= reason;
  }
  return withChanges(now, next, changes);
}

function withChanges(now: Config, next: Config, changes: readonly Change[]): Config {
  const config = structuredClone(now);
  for (const { parts, reason } of changes) {
    if (reason !== undefined) continue;
    const group = valueAt(config, parts.slice(0, -1)) as Tree;
    group[parts.at(-1)!] = valueAt(next, parts);
  }
  return config;
}
