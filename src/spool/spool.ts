import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../base/clock.js";
import type { MemoryBudget } from "../buffer/memory-budget.js";
import type { TableBuffer } from "../buffer/table-buffer.js";
import type { Table } from "../schemas/table.js";
import type { LogClientOptions } from "../wal/log-client.js";
import type { SeqRange } from "../wal/seq-set.js";
import type { SpoolEvent } from "./events.js";
import type { SpoolOrder } from "./kept-batches.js";
import { SpoolLog } from "./spool-log.js";
import { SpoolReplay } from "./spool-replay.js";
import { SpooledBuffer } from "./spooled-buffer.js";
import { type SpoolDropped, type SpoolStats, TableSpool } from "./table-spool.js";

/** The spool as it is configured. */
export interface SpoolOptions {
  /** Each table has a folder in it. */
  readonly dir: string;
  /** Which rows are stored first when ClickHouse is back. */
  readonly order: SpoolOrder;
  /** Milliseconds that rows wait in memory before they go to disk. */
  readonly after: number;
  /** What the log keeps of the disk: bytes, and the share in use from which it refuses rows. */
  readonly reserve: number;
  readonly emergencyDisk: number;
  /** For tests. */
  readonly disk?: LogClientOptions["disk"];
}

export interface SpoolContext {
  readonly clock: Clock;
  readonly report: (event: SpoolEvent) => void;
  readonly isDown: () => boolean;
  readonly mayReplay: () => boolean;
  readonly onDue: () => void;
}

/** A table with a spool. */
export interface SpooledTable {
  readonly table: Table;
  /** Bytes on disk. */
  readonly max: number;
  readonly live: TableBuffer;
  /** That the table's rows in memory count to, those on their way to the disk and back included. */
  readonly budget: MemoryBudget;
  readonly onDropped: (dropped: SpoolDropped) => void;
}

/** The spools of a recorder's tables. */
export class Spool {
  readonly #options: SpoolOptions;
  readonly #context: SpoolContext;
  readonly #tables = new Map<string, { readonly spool: TableSpool; readonly buffer: SpooledBuffer }>();

  constructor(options: SpoolOptions, context: SpoolContext) {
    this.#options = options;
    this.#context = context;
  }

  /** The buffer of one table. */
  addTable({ table, max, live, budget, onDropped }: SpooledTable): SpooledBuffer {
    const { clock, report, isDown, mayReplay, onDue } = this.#context;
    const { name } = table;
    const spool = new TableSpool({
      ...this.#options,
      dir: this.folderOf(name),
      table: name,
      max,
      clock,
      budget,
      report,
      onDropped,
      onChange: () => buffer.lookSoon(),
    });
    const onUnreadable = (message: string): void =>
      report({ kind: "spool_unreadable", table: name, message });
    const isQuiet = (): boolean => live.pendingRows === 0;
    const replay = new SpoolReplay({
      ...{ table, spool, budget, clock, mayReplay, isQuiet, onDue, onUnreadable },
    });
    const afterMs = this.#options.after;
    const buffer = new SpooledBuffer({ live, spool, replay, clock, afterMs, isDown });
    this.#tables.set(name, { spool, buffer });
    return buffer;
  }

  /** All tables are added: opens what earlier starts left. @throws ColdpathError WAL_LOCKED */
  async open(): Promise<void> {
    try {
      for (const { spool } of this.#tables.values()) await spool.find();
    } catch (error) {
      await this.close(0);
      throw error;
    }
    await this.#tellLeft();
    this.look();
  }

  /** Rows of an earlier start that the spool of a table had at the start, by number. */
  foundOf(table: string, run: bigint): readonly SeqRange[] {
    return this.#tables.get(table)?.spool.foundOf(run) ?? [];
  }

  /** The link to ClickHouse has changed, or rows that go before those of the spool are through. */
  look(): void {
    for (const { buffer } of this.#tables.values()) buffer.lookSoon();
  }

  stats(): Record<string, SpoolStats> {
    return Object.fromEntries([...this.#tables].map(([name, { spool }]) => [name, spool.stats()]));
  }

  /** Lets go of the folders. */
  async close(deadlineMs: number): Promise<void> {
    await Promise.all([...this.#tables.values()].map(({ spool }) => spool.close(deadlineMs)));
  }

  /** The log of one table's spool. */
  folderOf(table: string): string {
    return join(this.#options.dir, encodeURIComponent(table));
  }

  async #tellLeft(): Promise<void> {
    const { dir } = this.#options;
    const known = new Set([...this.#tables.keys()].map((table) => this.folderOf(table)));
    for (const name of await readdir(dir).catch(() => [])) {
      const folder = join(dir, name);
      const isLeft = !known.has(folder) && (await SpoolLog.isUsed(folder).catch(() => false));
      if (isLeft) this.#context.report({ kind: "spool_left", folder });
    }
  }
}
