import { ColdpathError } from "../base/errors.js";
import type { Row } from "../native/block.js";
import type { DropPermit } from "./drop-permit.js";
import type { DroppedRows, DropRule } from "./droppable-rows.js";
import type { MemoryBudget } from "./memory-budget.js";
import type { Origin } from "./origin.js";
import type { RowBuffer } from "./row-buffer.js";
import type { Ticket } from "./ticket.js";

export interface AdmissionOptions {
  readonly table: string;
  /** critical: refused when full, never dropped; best_effort: its oldest unsent batch makes room. */
  readonly class: "critical" | "best_effort";
  readonly buffer: RowBuffer;
  /** None for rows that a log takes: its buffer alone says whether there is room. */
  readonly budget: MemoryBudget | undefined;
  /** Asked before rows of a best-effort table are dropped. */
  readonly permit: DropPermit;
  /** The table begins to refuse rows, or has room again. Called at the turn, not for each row. */
  readonly onTurn: (turn: "full" | "room", reason: string) => void;
  /** What is to be known of rows that are dropped, and which of them go last. */
  readonly dropRule: () => DropRule;
  readonly onDropped: (reason: DropReason, dropped: DroppedRows) => void;
}

/** The limit that rows were dropped for. */
export type DropReason = "queue_full" | "memory_full";

/** Rows by what became of them before the sink; see `docs/internals/sink.md` for the sum. */
export interface AdmissionCounts {
  readonly offered: number;
  readonly accepted: number;
  readonly refused: Readonly<Record<string, number>>;
  readonly dropped: Readonly<Record<string, number>>;
}

/** Room is announced again below this share of the limits, so that a table at its limit does not flap. */
const ROOM_SHARE = 0.75;

/** Lets rows into a table's buffer within its limits, and counts what was let in, refused and dropped. */
export class Admission {
  readonly #options: AdmissionOptions;
  readonly #refused: Record<string, number> = {};
  readonly #dropped: Record<string, number> = {};
  #offered = 0;
  #accepted = 0;
  #isRefusing = false;

  constructor(options: AdmissionOptions) {
    this.#options = options;
    if (options.class === "best_effort") options.budget?.mayDrop(this);
  }

  get class(): AdmissionOptions["class"] {
    return this.#options.class;
  }

  /** Whether the next row would be refused or make others drop. */
  get full(): boolean {
    const { buffer, budget } = this.#options;
    return buffer.refusal !== undefined || budget?.full === true;
  }

  /** Drops what may be dropped until there is room for a row; false if that is not enough. */
  makeRoom(): boolean {
    return !this.full || this.#clear() === undefined;
  }

  /**
   * @param skipped rows of its series that the policy left out before it
   * @throws ValueError; the row is not counted then.
   */
  offer(row: Row, origin: Origin | undefined, skipped = 0): Ticket | undefined {
    if (this.full && !this.#clearOrRefuse()) return undefined;
    const open = this.#options.buffer.append(row, origin, skipped);
    this.accept();
    return open.ticket;
  }

  /** Lets so many rows in together; false, and all of them counted as refused, if there is no room. */
  admit(rows: number): boolean {
    if (this.full && !this.#clearOrRefuse(rows)) return false;
    this.accept(rows);
    return true;
  }

  /** Counts rows as taken whose fate the policy decides. */
  accept(rows = 1): void {
    this.#offered += rows;
    this.#accepted += rows;
  }

  /**
   * Takes a row that {@link accept} has counted. There is room for it in any case: the policy holds few.
   *
   * @throws ValueError
   */
  release(row: Row, origin: Origin | undefined, skipped: number): Ticket {
    if (this.full) this.#clear();
    return this.#options.buffer.append(row, origin, skipped).ticket;
  }

  /** To be called when rows were settled: announces that there is room again. */
  look(): void {
    const { buffer, budget, onTurn } = this.#options;
    const hasMemory = budget === undefined || budget.used < budget.max * ROOM_SHARE;
    const hasRoom = buffer.hasRoom && hasMemory;
    if (!this.#isRefusing || !hasRoom) return;
    this.#isRefusing = false;
    onTurn("room", "rows are taken again");
  }

  /** Counts rows that were refused without being offered. */
  refuse(reason: string, rows = 1): void {
    this.#offered += rows;
    this.#refused[reason] = (this.#refused[reason] ?? 0) + rows;
  }

  /** Counts rows as dropped that were lost behind the buffer. */
  lost(reason: string, rows: number): void {
    this.#dropped[reason] = (this.#dropped[reason] ?? 0) + rows;
  }

  get oldestAt(): number | undefined {
    return this.#options.buffer.oldestAt;
  }

  /**
   * Drops the oldest rows that the sink has not taken and that may be dropped; if there are none, the table's level is raised. False if
   * that does not help either.
   */
  dropOldest(reason: DropReason): boolean {
    const { buffer, table, permit, dropRule, onDropped } = this.#options;
    const failure = (rows: number): Error =>
      new ColdpathError("BATCH_FAILED", `${rows} rows of ${table} were dropped to make room: ${reason}`);
    let dropped: DroppedRows | undefined;
    while (dropped === undefined) {
      if (buffer.oldestAt === undefined) return false;
      const { droppable } = permit;
      dropped = buffer.dropOldest(dropRule(), droppable, failure);
      if (dropped === undefined && (droppable === "all" || !permit.raise(reason))) return false;
    }
    this.#dropped[reason] = (this.#dropped[reason] ?? 0) + dropped.rows;
    onDropped(reason, dropped);
    return true;
  }

  counts(): AdmissionCounts {
    return {
      offered: this.#offered,
      accepted: this.#accepted,
      refused: { ...this.#refused },
      dropped: { ...this.#dropped },
    };
  }

  /** At a limit: drops what may be dropped; if that is not enough, counts the rows as refused and gives false. */
  #clearOrRefuse(rows = 1): boolean {
    const reason = this.#clear();
    if (reason === undefined) return true;
    this.refuse(reason, rows);
    if (!this.#isRefusing) this.#options.onTurn("full", reason);
    this.#isRefusing = true;
    return false;
  }

  /** Drops what may be dropped until there is room for a row; if that is not enough, gives the limit's name. */
  #clear(): string | undefined {
    const { buffer, budget } = this.#options;
    const isCritical = this.#options.class === "critical";
    while (!isCritical && buffer.refusal !== undefined && this.dropOldest("queue_full"));
    if (buffer.refusal !== undefined) return buffer.refusal;
    return budget === undefined || budget.makeRoom() ? undefined : "memory_full";
  }
}
