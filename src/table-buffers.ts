import type { Clock } from "./base/clock.js";
import type { ClassBudgets } from "./buffer/class-budgets.js";
import type { EventWindow } from "./buffer/event-window.js";
import type { Journal } from "./buffer/journal.js";
import type { RowBuffer } from "./buffer/row-buffer.js";
import type { Identity } from "./buffer/stamp.js";
import { TableBuffer } from "./buffer/table-buffer.js";
import type { TableOptions } from "./recorder-options.js";
import type { LeftBehind } from "./recorder-stats.js";
import type { Table } from "./schemas/table.js";
import type { Left } from "./sink/sink.js";
import type { Spool } from "./spool/spool.js";
import type { SpooledBuffer } from "./spool/spooled-buffer.js";
import type { SpoolDropped } from "./spool/table-spool.js";
import type { LoggedBuffer } from "./wal/logged-buffer.js";
import type { PurgedRows, Wal } from "./wal/wal.js";

/** Rows that are lost though they were on disk. */
export type DroppedOnDisk = SpoolDropped | PurgedRows;

export interface TableBuffersOptions {
  readonly identity: Identity;
  readonly window: EventWindow;
  readonly budgets: ClassBudgets;
  readonly clock: Clock;
  readonly wal: Wal | undefined;
  readonly spool: Spool | undefined;
  /** Rows can be sent. */
  readonly onDue: () => void;
  /** A table with a log takes rows again. */
  readonly onRoom: (table: string) => void;
  /** Rows in the spool, or in the log, were given up. */
  readonly onDropped: (table: string, rows: DroppedOnDisk) => void;
}

/** Where the rows of each table wait: in memory alone, in the log, or in the spool. */
export class TableBuffers {
  readonly #options: TableBuffersOptions;
  /** Of the tables that have a log. */
  readonly logged = new Map<string, LoggedBuffer>();
  readonly #spooled = new Map<string, SpooledBuffer>();

  constructor(options: TableBuffersOptions) {
    this.#options = options;
  }

  /** The buffer of one more table. */
  add(table: Table, options: TableOptions): RowBuffer {
    const { name } = table;
    const { wal, spool, identity, window, budgets, clock, onDue, onRoom, onDropped } = this.#options;
    const { flush, durability } = options;
    const rows = { table, flush, queueRows: options.queue.rows, identity, window };
    const common = { ...rows, budget: budgets[options.class], onDue };
    if (durability === "spool" && spool !== undefined) {
      const buffer = spool.addTable({
        table,
        live: new TableBuffer({ ...common, clock }),
        budget: common.budget,
        max: options.spool?.max ?? Infinity,
        onDropped: (rows) => onDropped(name, rows),
      });
      this.#spooled.set(name, buffer);
      return buffer;
    }
    if (durability !== "wal" || wal === undefined) return new TableBuffer({ ...common, clock });
    const buffer = wal.addTable({
      ...common,
      onRoom: () => onRoom(name),
      onDropped: (rows) => onDropped(name, rows),
    });
    this.logged.set(name, buffer);
    return buffer;
  }

  /** What the sink writes before it acts on a table's batches. */
  journalOf(table: string): Journal | undefined {
    const spooled = this.#spooled.get(table);
    if (spooled !== undefined) return spooled.journal;
    return this.logged.has(table) ? this.#options.wal?.journalOf(table) : undefined;
  }

  /** Rows of earlier starts whose fate is not known. */
  inheritedRows(table: string): number {
    return this.#keptOf(table)?.inheritedRows ?? 0;
  }

  /** Resolves when the fate of all rows is known that earlier starts left of these tables. */
  async replayed(tables: readonly string[]): Promise<void> {
    await Promise.all(tables.map((table) => this.#keptOf(table)?.replayed()));
  }

  /** What of a table is left behind at the end, of which the sink gave up so many rows. */
  leftBehind(table: string, left: Left): LeftBehind {
    const spooled = this.#spooled.get(table);
    if (spooled !== undefined) return spooled.leftOf(left);
    const logged = this.logged.get(table);
    if (logged === undefined) return { ...left, logged: 0 };
    const unsent = logged.unsyncedRows;
    return { unsent, unconfirmed: 0, logged: logged.pendingRows - unsent };
  }

  /** By table, rows left behind that are in memory alone and were not sent: nobody will have them. */
  *lost(left: ReadonlyMap<string, Left>): Generator<readonly [table: string, rows: number]> {
    for (const [table, of] of left)
      if (!this.logged.has(table)) yield [table, this.leftBehind(table, of).unsent];
  }

  #keptOf(table: string): LoggedBuffer | SpooledBuffer | undefined {
    return this.logged.get(table) ?? this.#spooled.get(table);
  }
}
