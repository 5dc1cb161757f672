import type { z } from "zod";
import { CONFIG_SCHEMA, type KeyMeta } from "./schema.js";

/** One configuration key as people meet it; derived from the schema. */
export interface Key extends KeyMeta {
  /** `tables.market_data.flush.rows`; the part `*` stands for any table of the user's. */
  readonly path: string;
  /** `COLDPATH_TABLES_MARKET_DATA_FLUSH_ROWS`; empty for keys of the user's own tables. */
  readonly env: string;
  /** The default as it would be written in the file; undefined when the key has none. */
  readonly fallback: unknown;
  readonly restart: string | false;
  readonly type: KeyType;
  /** Writes a resolved value (bytes, milliseconds) the way the file does. */
  readonly format: (value: unknown) => string;
}

/** What the text of an environment variable or flag is read as. */
export type KeyType = "text" | "number" | "boolean" | "list";

/** The parts of zod's definition objects that the walk needs. */
interface Def {
  readonly type: string;
  readonly innerType?: z.ZodType;
  readonly in?: z.ZodType;
  readonly defaultValue?: unknown;
  readonly shape?: Readonly<Record<string, z.ZodType>>;
  readonly catchall?: z.ZodType;
}

/** A test holds that each key says it itself. */
const UNSAID = "it is read at the start";

const TYPES: Readonly<Record<string, KeyType>> = { number: "number", boolean: "boolean", array: "list" };

function walk(
  schema: z.ZodType,
  path: readonly string[],
  outer: Record<string, unknown>,
  found: Key[],
  restart?: Key["restart"],
): void {
  const def = schema.def as unknown as Def;
  const meta = { ...schema.meta(), ...outer };
  if (def.type === "prefault" && def.defaultValue !== undefined) meta["fallback"] ??= def.defaultValue;
  const inner = def.innerType ?? def.in;
  if (inner !== undefined) {
    walk(inner, path, meta, found, restart);
    return;
  }
  const ownRestart = (meta as Partial<Key>).restart ?? restart;
  if (def.shape !== undefined) {
    for (const [key, child] of Object.entries(def.shape)) walk(child, [...path, key], {}, found, ownRestart);
    if (def.catchall !== undefined && (def.catchall.def as unknown as Def).type !== "never") {
      walk(def.catchall, [...path, "*"], {}, found, ownRestart);
    }
    return;
  }
  const { description, secret, pathLike, format, fallback } = meta as Partial<Key>;
  found.push({
    path: path.join("."),
    env: path.includes("*") ? "" : `COLDPATH_${path.join("_").toUpperCase()}`,
    description: description ?? "",
    ...(secret === undefined ? {} : { secret }),
    ...(pathLike === undefined ? {} : { pathLike }),
    fallback,
    restart: ownRestart ?? UNSAID,
    type: TYPES[def.type] ?? "text",
    format: format ?? ((value) => (Array.isArray(value) ? value.join(",") : String(value))),
  });
}

function allKeys(): readonly Key[] {
  const found: Key[] = [];
  walk(CONFIG_SCHEMA, [], {}, found);
  return found;
}

/** Every key, in the order of the declaration. */
export const KEYS: readonly Key[] = allKeys();

/** The declaration of a concrete path; keys of a table of the user's match the `*` rows. */
export function keyOf(path: string): Key | undefined {
  const general = path.replace(/^tables\.[^.]+\./, "tables.*.");
  return KEYS.find((key) => key.path === path) ?? KEYS.find((key) => key.path === general);
}

/** Whether a key or a group of keys stands there; every name is a group under `tables`. */
export function isKnown(path: readonly string[]): boolean {
  return KEYS.some((key) => {
    const parts = key.path.split(".");
    return path.length <= parts.length && path.every((part, i) => parts[i] === "*" || parts[i] === part);
  });
}

/** A resolved value as the file would write it; a secret is `***`, no value null. */
export function shownText(key: Key, value: unknown): string | null {
  if (value === undefined) return null;
  return key.secret ? "***" : key.format(value);
}
