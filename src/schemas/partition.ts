import { ColdpathError } from "../base/errors.js";
import type { Column, PartitionKey } from "./table.js";

/** A plain or backquoted name, as ClickHouse prints a key. */
const NAME = /^(?:([A-Za-z_]\w*)|`((?:[^`\\]|\\.)*)`)$/s;
const CALL = /^(toDate|toYYYYMM)\((.*)\)$/s;
const KINDS = { toDate: "day", toYYYYMM: "month" } as const;
/** Types whose day and month are those of UTC, whatever the server's time zone. */
const UTC_TIME = /^(?:Date|Date32|DateTime\('UTC'\)|DateTime64\(\d, 'UTC'\))$/;

/**
 * Reads a table's partition key as ClickHouse prints it (`partition_key` of `system.tables`).
 * @throws ColdpathError PARTITION_UNSUPPORTED for anything whose value the recorder cannot tell from a row.
 */
export function parsePartitionKey(table: string, key: string, columns: readonly Column[]): PartitionKey {
  if (key === "" || key === "tuple()") return { kind: "none" };
  const expression = key.replace(/^\((.*)\)$/s, "$1");
  const call = CALL.exec(expression);
  const column = columns.find((each) => each.name === unquote(call?.[2] ?? expression));
  if (column === undefined) {
    throw unsupported(table, key, "it may be nothing, a column, toDate(column) or toYYYYMM(column)");
  }
  // A batch must know its partition before it is sent.
  if (column.filledByServer)
    throw unsupported(table, key, `${column.name} is filled in by ClickHouse, not by rows`);
  if (call === null) return { kind: "column", column: column.name };
  if (!UTC_TIME.test(column.type)) {
    const wanted = "Date, Date32, DateTime('UTC') or DateTime64(n, 'UTC')";
    throw unsupported(table, key, `${column.name} is ${column.type}; days and months are cut from ${wanted}`);
  }
  return { kind: KINDS[call[1] as keyof typeof KINDS], column: column.name };
}

function unquote(text: string): string | undefined {
  const match = NAME.exec(text);
  return match?.[1] ?? match?.[2]?.replace(/\\(.)/gs, "$1");
}

function unsupported(table: string, key: string, reason: string): ColdpathError {
  return new ColdpathError("PARTITION_UNSUPPORTED", `table ${table} is partitioned by ${key}: ${reason}`);
}
