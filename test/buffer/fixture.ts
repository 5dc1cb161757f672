import { Admission } from "../../src/buffer/admission.js";
import type { DropPermit } from "../../src/buffer/drop-permit.js";
import { EventWindow } from "../../src/buffer/event-window.js";
import { MemoryBudget } from "../../src/buffer/memory-budget.js";
import { TableBuffer, type TableBufferOptions } from "../../src/buffer/table-buffer.js";
import type { Column, PartitionKey, Table } from "../../src/schemas/table.js";
import { ManualClock } from "../support/clock.js";

const TYPES: Readonly<Record<string, string>> = {
  ts: "DateTime64(9, 'UTC')",
  symbol: "LowCardinality(String)",
  px: "Decimal(18, 8)",
  note: "String",
  env: "LowCardinality(String)",
  recorder: "LowCardinality(String)",
  run: "UInt64",
  seq: "UInt64",
  source: "LowCardinality(String)",
  source_seq: "Nullable(UInt64)",
};

/** A table as ClickHouse would describe it. */
export function tableWith(partitionKey: PartitionKey, types: Readonly<Record<string, string>> = {}): Table {
  const columns: Column[] = Object.entries({ ...TYPES, ...types }).map(([name, type]) => ({
    name,
    type,
    required: !["symbol", "note", "source", "px", "source_seq"].includes(name),
    ...(["symbol", "note", "source"].includes(name) ? { defaultText: "" } : {}),
    ...(name === "px" ? { defaultText: "0" } : {}),
    filledByServer: false,
    comment: "",
  }));
  columns.push({
    name: "ts_ingest",
    type: "DateTime64(9, 'UTC')",
    required: false,
    filledByServer: true,
    comment: "",
  });
  return { database: "d", name: "t", columns, partitionKey, replicated: false };
}

export const DAILY: Table = tableWith({ kind: "day", column: "ts" });
export const YEAR_MS: number = 365 * 86_400_000;
/** A row at noon of 8 August 2024 plus some milliseconds, as nanoseconds. */
export function at(ms: number): bigint {
  return BigInt(Date.UTC(2024, 7, 8, 12) + ms) * 1_000_000n;
}

export interface Fixture {
  readonly buffer: TableBuffer;
  readonly clock: ManualClock;
  readonly budget: MemoryBudget;
  /** How often a batch became due. */
  readonly due: { count: number };
}

/** What a buffer is made with, but for the limits that a test is about. */
export function bufferOptions(table: Table): TableBufferOptions & { readonly clock: ManualClock } {
  const clock = new ManualClock(Date.UTC(2024, 7, 8, 12));
  return {
    table,
    flush: { rows: 10, bytes: 2 ** 20, age: 250 },
    queueRows: 1000,
    identity: { env: "test", recorder: "r", run: 18446744073709551615n },
    window: new EventWindow({ past: 30 * YEAR_MS, future: 86_400_000 }, clock),
    budget: new MemoryBudget(2 ** 30),
    clock,
    onDue: () => {},
  };
}

export function bufferFor(table: Table, options: Partial<TableBufferOptions> = {}): Fixture {
  const fallback = bufferOptions(table);
  const { clock } = fallback;
  const due = { count: 0 };
  const onDue = (): void => {
    due.count += 1;
  };
  const given = { ...fallback, onDue, ...options };
  return { buffer: new TableBuffer(given), clock, budget: given.budget, due };
}

/** An admission before a buffer, with all that it tells. */
export function admissionFor(
  kind: "critical" | "best_effort",
  options: Partial<TableBufferOptions> = {},
  permit: DropPermit = { droppable: "all", raise: () => false },
): Fixture & { readonly admission: Admission; readonly told: string[] } {
  const fixture = bufferFor(DAILY, options);
  const told: string[] = [];
  const admission = new Admission({
    table: "t",
    class: kind,
    buffer: fixture.buffer,
    budget: fixture.budget,
    permit,
    onTurn: (turn, reason) => told.push(`${turn} ${reason}`),
    dropRule: () => ({ by: [], time: undefined, isFirst: () => true }),
    onDropped: (reason, { rows }) => told.push(`dropped ${rows} ${reason}`),
  });
  return { ...fixture, admission, told };
}
