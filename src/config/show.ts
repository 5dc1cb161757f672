import { KEYS, type Key, keyOf } from "./keys.js";
import type { LoadedConfig } from "./load.js";

/** One effective value. */
export interface ShownValue {
  readonly path: string;
  /** As the file would write it; secrets are `***`, unset keys null. */
  readonly value: string | null;
  readonly origin: string;
}

/** Every effective value with its origin, secrets hidden. */
export function showConfig({ config, originOf }: LoadedConfig): ShownValue[] {
  const shown: ShownValue[] = [];
  const visit = (value: unknown, path: string): void => {
    if (typeof value === "object" && value !== null && !Array.isArray(value)) {
      for (const [key, child] of Object.entries(value)) visit(child, path === "" ? key : `${path}.${key}`);
      return;
    }
    const key = keyOf(path);
    if (key !== undefined) shown.push({ path, value: shownText(key, value), origin: originOf(path) });
  };
  visit(config, "");
  return shown;
}

function shownText(key: Key, value: unknown): string | null {
  if (value === undefined) return null;
  return key.secret ? "***" : key.format(value);
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
    const value = key.fallback === undefined ? "" : Array.isArray(key.fallback) ? "[]" : String(key.fallback);
    lines.push(`# ${"  ".repeat(depth)}${parts[depth]}: ${value}`.padEnd(44) + `# ${key.description}`);
  }
  lines.push(
    "#   my_table:                                # your own table: its SQL goes into a folder of schemas:",
  );
  return `${lines.join("\n")}\n`;
}
