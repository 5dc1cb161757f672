import type { CsvFields } from "../csv-fields.js";

/** What a line of a file holds before it is a row: the fields of a CSV record, or the object of a line of NDJSON. */
export type SourceRecord = CsvFields | Readonly<Record<string, unknown>>;

/** Reads one value off a record; undefined if it is missing there. */
export type Reader = (record: SourceRecord) => unknown;

/** What is known of a source's columns before its first record is read. */
export type SourceShape =
  | { readonly format: "csv"; readonly header: readonly string[]; readonly missing: readonly string[] }
  | { readonly format: "ndjson" };

/**
 * A reader of a source column; undefined if the source is known not to have it. An empty CSV field is a missing value,
 * unless it is quoted and `emptyText` says that its target can hold an empty text.
 */
export function columnReader(shape: SourceShape, name: string, emptyText: boolean): Reader | undefined {
  if (shape.format === "ndjson") {
    return (record) => {
      const object = record as Readonly<Record<string, unknown>>;
      return Object.hasOwn(object, name) ? object[name] : undefined;
    };
  }
  const index = shape.header.indexOf(name);
  if (index < 0) return undefined;
  const missing = new Set(shape.missing);
  return (record) => {
    const { texts, quotedEmpty } = record as CsvFields;
    const text = texts[index]!;
    if (text === "") return emptyText && quotedEmpty.includes(index) ? text : undefined;
    return missing.size > 0 && missing.has(text) ? undefined : text;
  };
}
