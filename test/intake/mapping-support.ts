import { CsvReader } from "../../src/intake/csv.js";
import type { CsvFields } from "../../src/intake/csv-fields.js";
import { LineError } from "../../src/intake/line-error.js";
import { LineSplitter } from "../../src/intake/lines.js";
import { compileMapping } from "../../src/intake/mapping/compile.js";
import { partsOfName } from "../../src/intake/mapping/file-name.js";
import { parseMapping } from "../../src/intake/mapping/load.js";
import { NdjsonReader } from "../../src/intake/ndjson.js";
import type { ReadRecord } from "../../src/intake/record-reader.js";
import { NumberText } from "../../src/native/number-text.js";
import type { Column, Table } from "../../src/schemas/table.js";

function column(name: string, type: string, required = false): Column {
  return { name, type, required, filledByServer: false, comment: "" };
}

/** A small table with a column of each kind that mappings treat differently. */
export const TABLE: Table = {
  database: "test",
  name: "ticks",
  partitionKey: { kind: "none" },
  replicated: false,
  columns: [
    column("ts", "DateTime64(9, 'UTC')", true),
    column("symbol", "LowCardinality(String)"),
    column("note", "Nullable(String)"),
    column("px", "Nullable(Decimal(18, 8))"),
    column("id", "Nullable(UInt64)"),
    column("bids", "Array(Decimal(18, 8))"),
    column("tags", "Map(String, String)"),
    column("seq", "UInt64", true),
    { ...column("ts_ingest", "DateTime64(9, 'UTC')"), filledByServer: true },
  ],
};

/** Reads a file's content with a mapping; a row that is refused is its error's message. */
export function mapped(mapping: string, content: string, fileName = "file.csv"): unknown[] {
  const checked = parseMapping(mapping, "m.yaml", TABLE);
  const parts = partsOfName(checked, fileName);
  const lines = new LineSplitter(10_000).push(Buffer.from(content));
  const isCsv = checked.format !== "ndjson";
  const records = (isCsv ? new CsvReader(checked.csv, 10_000) : new NdjsonReader()).read(lines);
  const header = checked.csv.columns ?? (isCsv ? headerOf(records) : []);
  const shape = isCsv
    ? ({ format: "csv", header, missing: checked.csv.missing } as const)
    : ({ format: "ndjson" } as const);
  const rowOf = compileMapping(checked, TABLE, { shape, parts, path: fileName });
  return records.map(({ value }) => {
    if (value instanceof LineError) return value.message;
    try {
      return plain(rowOf(value));
    } catch (error) {
      return (error as Error).message;
    }
  });
}

/** Takes the first record away. */
function headerOf(records: ReadRecord[]): readonly string[] {
  return (records.shift()!.value as CsvFields).texts;
}

/** The time of each row as ISO text with nine digits, or why it was refused. */
export function times(spec: string, values: readonly string[], fileName?: string): string[] {
  const file = fileName === undefined ? "" : "files: [{ pattern: '[a-z]+-(?<date>[\\d-]+)\\.csv' }]\n";
  const mapping = `${file}csv: { delimiter: ';', columns: [t, d] }\ncolumns: { ts: ${spec} }\nignore: ${spec.includes("date: d") ? "[]" : "[d]"}`;
  return mapped(
    mapping,
    values.map((value) => `${value}${value.includes(";") ? "" : ";"}\n`).join(""),
    fileName,
  ).map((row) =>
    typeof row === "string" ? row.replace(/^column ts: /, "") : isoText((row as { ts: unknown }).ts),
  );
}

function isoText(value: unknown): string {
  const nanoseconds = BigInt(value as string | bigint);
  const fraction = ((nanoseconds % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
  const milliseconds = Number((nanoseconds - fraction) / 1_000_000n);
  return new Date(milliseconds).toISOString().replace("000Z", `${fraction.toString().padStart(9, "0")}Z`);
}

/** Numbers kept as text, shown as `#text`. */
function plain(value: unknown): unknown {
  if (value instanceof NumberText) return `#${value.text}`;
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
}
