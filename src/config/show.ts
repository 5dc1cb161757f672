import { KEYS, type Key, keyOf, shownText } from "./keys.js";
import { valueAt } from "./layers.js";
import type { LoadedConfig } from "./load.js";
import type { Config } from "./schema.js";

/** One effective value. */
export interface ShownValue {
  readonly path: string;
  /** As the file would write it; secrets are `***`, unset keys null. */
  readonly value: string | null;
  readonly origin: string;
}

/** Every effective value with its origin, secrets hidden; keys that have no value are shown as unset. */
export function showConfig({ config, originOf }: LoadedConfig): ShownValue[] {
  return shownPaths(config).map((path) => ({
    path,
    value: shownText(keyOf(path)!, valueAt(config, path.split("."))),
    origin: originOf(path),
  }));
}

/** The paths of all values, those of the user's own tables included. */
export function shownPaths({ tables }: Config): string[] {
  return KEYS.flatMap(({ path }) => {
    if (!path.includes("*")) return [path];
    const own = Object.keys(tables).filter(
      (name) => !KEYS.some((key) => key.path === `tables.${name}.class`),
    );
    return own.map((name) => path.replace("*", name));
  });
}

/** A default as YAML takes it: one that begins with a brace would be a mapping. */
function fallbackText({ fallback }: Key): string {
  if (fallback === undefined) return "";
  if (Array.isArray(fallback)) return "[]";
  const text = String(fallback);
  return text.startsWith("{") ? JSON.stringify(text) : text;
}

/** The commented file that `coldpath init` writes: every key with its meaning and default, all of them commented out. */
export function exampleFile(): string {
  const lines = [
    "# coldpath configuration. Every value below is the default: uncomment what you change.",
    "# Durations and sizes carry units (250ms, 8MiB). Environment variables override: COLDPATH_RECORDER_ID=desk-1.",
    "# Check it with: coldpath config check",
  ];
  let group: readonly string[] = [];
  for (const key of KEYS) {
    if (key.path.startsWith("tables.") && !/^tables\.(market_data|orders)\./.test(key.path)) continue;
    if (key.secret) continue;
    const parts = key.path.split(".");
    const depth = parts.length - 1;
    for (let i = 0; i < depth; i++) {
      if (group[i] === parts[i] && group.slice(0, i).join() === parts.slice(0, i).join()) continue;
      if (i === 0) lines.push("");
      lines.push(`# ${"  ".repeat(i)}${parts[i]}:`);
    }
    if (depth === 0) lines.push("");
    group = parts.slice(0, depth);
    const value = fallbackText(key);
    lines.push(`# ${"  ".repeat(depth)}${parts[depth]}: ${value}`.padEnd(44) + `# ${key.description}`);
  }
  return `${lines.join("\n")}\n`;
}
