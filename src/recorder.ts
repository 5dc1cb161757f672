import type { Origin } from "./buffer/origin.js";
import type { Ticket } from "./buffer/ticket.js";
import type { ClickHouse } from "./clickhouse/client.js";
import type { Row } from "./native/block.js";
import type { Table } from "./schemas/table.js";

export type { Origin } from "./buffer/origin.js";
export type { Ticket } from "./buffer/ticket.js";

/** How one table is treated. */
export interface TableOptions {
  /** critical: never dropped, refused when full; best_effort: its oldest unsent batch makes room. */
  readonly class: "critical" | "best_effort";
  /** A batch is offered to the sink when one of these is reached: rows, encoded bytes, milliseconds. */
  readonly flush: { readonly rows: number; readonly bytes: number; readonly age: number };
  /** Rows open, waiting or being sent, before the table is full. */
  readonly queue: { readonly rows: number };
}

export interface RecorderOptions {
  /** Name of this recorder, unique among recorders. */
  readonly recorder: string;
  /** Environment written into every row. */
  readonly env: string;
  readonly clickhouse: ClickHouse;
  readonly compression: "auto" | "none" | "lz4" | "gzip";
  readonly tables: Readonly<Record<string, TableOptions>>;
  /** Bytes of encoded rows held for all tables together. */
  readonly memory: { readonly max: number };
  /** Event times taken, in milliseconds before and after now by this host's clock. */
  readonly accept: { readonly past: number; readonly future: number };
  /** Folder of the rows that were refused; made if absent. */
  readonly deadLettersDir: string;
}

/** Takes the rows of one table. */
export interface TableWriter {
  readonly table: Table;
  /**
   * Takes a row, or gives undefined if there is no room for it: a critical table at its limit, counted as refused. A
   * best-effort table at its limit drops its oldest unsent batch instead. Keys that are no columns are ignored.
   * Without an origin, `source` and `source_seq` are read from the row.
   * @throws ValueError for a row that does not fit. It is not counted yet: hand it to {@link rejected}.
   */
  offer(row: Row, origin?: Origin): Ticket | undefined;
  /** True if the next {@link offer} would refuse a row or drop some. */
  readonly full: boolean;
  /** Resolves once the table is no longer {@link full}: for intakes that can wait, such as files. */
  room(): Promise<void>;
  /**
   * Counts a row refused before it was taken and keeps it in the dead letters. Resolves when it is on disk, or when
   * that failed and was reported; an intake that reads much waits for it now and then, so that memory stays flat.
   */
  rejected(raw: string | Uint8Array, error: unknown, origin?: Origin): Promise<void>;
}
