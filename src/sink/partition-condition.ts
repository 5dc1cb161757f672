import assert from "node:assert";
import { type Partition, timeSpan } from "../buffer/partition.js";
import { quoteName } from "../clickhouse/quote.js";
import type { Table } from "../schemas/table.js";

/** A condition and the query parameters in it. */
export interface Condition {
  readonly sql: string;
  readonly params: Readonly<Record<string, string>>;
}

/** Holds for exactly the table's rows of one partition. */
export function partitionCondition(table: Table, partition: Partition): Condition {
  const key = table.partitionKey;
  if (key.kind === "none") return { sql: "1", params: {} };
  const column = quoteName(key.column);
  const type = table.columns.find((each) => each.name === key.column)?.type;
  assert(type, `the partition key of ${table.name} is one of its columns`);
  if (key.kind === "column") {
    const params = { partition: parameterText(partition.key) };
    return { sql: `toString(${storedValue(column, type)}) = {partition:String}`, params };
  }
  const span = timeSpan(partition.key, key.kind);
  const midnight = type.startsWith("Date32") || type === "Date" ? dateLiteral : timeLiteral;
  // Bounds on the bare column let ClickHouse skip other partitions.
  return { sql: `${column} >= ${midnight(span.from)} AND ${column} < ${midnight(span.to)}`, params: {} };
}

function dateLiteral(ms: number): string {
  return `'${new Date(ms).toISOString().slice(0, 10)}'`;
}

function timeLiteral(ms: number): string {
  return `toDateTime64('${new Date(ms).toISOString().slice(0, 10)} 00:00:00', 0, 'UTC')`;
}

/** The expression whose text equals `BlockBuilder.valueText`: times and decimals count as their stored integer. */
function storedValue(column: string, type: string): string {
  const plain = type.replace(/^LowCardinality\((.*)\)$/, "$1");
  if (/^(Date|Date32|DateTime)(\(|$)/.test(plain)) return `toInt64(${column})`;
  if (plain.startsWith("DateTime64")) return `reinterpretAsInt64(${column})`;
  const decimal = /^Decimal\((\d+)/.exec(plain);
  if (decimal === null) return column;
  const digits = Number(decimal[1]);
  const bits = digits <= 9 ? 32 : digits <= 18 ? 64 : digits <= 38 ? 128 : 256;
  return `reinterpretAsInt${bits}(${column})`;
}

const ESCAPES: Readonly<Record<string, string>> = {
  "\\": "\\\\",
  "\t": "\\t",
  "\n": "\\n",
  "\r": "\\r",
  "\0": "\\0",
};

/** A string as the value of a query parameter `{name:String}`. */
export function parameterText(value: string): string {
  return value.replaceAll(/[\\\t\n\r\0]/g, (character) => ESCAPES[character]!);
}
