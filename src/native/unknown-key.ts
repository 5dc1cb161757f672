import { nearest } from "../base/nearest.js";
import type { BlockColumn, Row } from "./block-column.js";

/** A key of a row that names no column the row may set. */
export interface UnknownKey {
  readonly key: string;
  /** The column probably meant, if one is close. */
  readonly nearest?: string;
}

/**
 * A check of rows against a table's columns: gives the first key that is no column, or undefined. Stamped columns are
 * not for rows to set, so they count as unknown.
 */
export function unknownKey(row: Row, columns: ReadonlySet<string>): UnknownKey | undefined {
  for (const key of Object.keys(row)) {
    if (columns.has(key)) continue;
    const close = nearest(key, columns);
    return close === undefined ? { key } : { key, nearest: close };
  }
  return undefined;
}

/** The names a row may use, for {@link unknownKey}: all columns but the stamped ones. */
export function rowKeys(columns: readonly BlockColumn[]): ReadonlySet<string> {
  return new Set(columns.filter((column) => column.stamped !== true).map((column) => column.name));
}
