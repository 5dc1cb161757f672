import { ColdpathError } from "../../base/errors.js";
import type { Mapping } from "./schema.js";

/** What the mapping learns from a file's name: the named groups of the pattern that fits, and what it sets besides. */
export type NameParts = Readonly<Record<string, string>>;

/**
 * The parts of one name; the first pattern that fits the whole of it counts.
 *
 * @throws ColdpathError INPUT_UNREADABLE if there are patterns and none fits.
 */
export function partsOfName(mapping: Mapping, name: string): NameParts {
  if (mapping.files === undefined) return {};
  for (const { pattern, set } of mapping.files) {
    const match = pattern.exec(name);
    if (match !== null) return { ...match.groups, ...set };
  }
  throw new ColdpathError("INPUT_UNREADABLE", `${name}: no pattern of the mapping's files fits this name`);
}

/** The parts that every pattern gives. */
export function partsOfAll(mapping: Mapping): ReadonlySet<string> {
  const [first, ...others] = (mapping.files ?? []).map(({ pattern, set }) => {
    const groups = [...pattern.source.matchAll(/\(\?<([A-Za-z_]\w*)>/g)].map((match) => match[1]!);
    return new Set([...groups, ...Object.keys(set)]);
  });
  return new Set([...(first ?? [])].filter((part) => others.every((parts) => parts.has(part))));
}
