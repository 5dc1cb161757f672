import type { Clock } from "../base/clock.js";
import { MINUTE_MS } from "../base/units.js";
import type { MemoryBudget } from "../buffer/memory-budget.js";
import type { RowBuffer } from "../buffer/row-buffer.js";
import type { Link } from "../sink/link.js";
import type { LevelEvent } from "./events.js";
import { Ladder, type LadderStep, type LevelRules } from "./ladder.js";
import type { RingSign } from "./pressure.js";
import { TableOverload } from "./table-overload.js";

export interface OverloadOptions {
  readonly clock: Clock;
  readonly link: Link;
  /** Told of each change of a level, before it is applied. */
  readonly report: (event: LevelEvent) => void;
}

/** A table that is to be looked at. */
export interface WatchedTable {
  readonly table: string;
  readonly steps: readonly LadderStep[] | undefined;
  /** Milliseconds after which a row that is not stored counts as late altogether. */
  readonly lateMax: number | undefined;
  readonly buffer: RowBuffer;
  readonly budget: MemoryBudget;
  readonly isPaused: () => boolean;
  readonly apply: (rules: LevelRules) => void;
}

/** A table that fills in 100 ms is seen on its way. */
const LOOK_MS = 25;
const LATE_MS: number = MINUTE_MS;

/** Looks at all tables again and again. */
export class Overload {
  readonly #options: OverloadOptions;
  readonly #tables: TableOverload[] = [];
  #rings: (() => RingSign) | undefined;
  #cancel: (() => void) | undefined;

  constructor(options: OverloadOptions) {
    this.#options = options;
  }

  /** Rows come from rings, and can wait there. */
  watchRings(look: () => RingSign): void {
    this.#rings = look;
  }

  add({
    table,
    steps = [],
    lateMax = LATE_MS,
    buffer,
    budget,
    isPaused,
    apply,
  }: WatchedTable): TableOverload {
    const { clock, link, report } = this.#options;
    const added = new TableOverload({
      table,
      ladder: new Ladder(steps),
      clock,
      signs: () => ({
        ring: this.#rings?.(),
        queue: buffer.usage,
        memory: budget.usage,
        lateMax,
        link: link.state,
        stretch: buffer.stretched,
        oldestAt: buffer.oldestAt,
        isServed: link.state !== "down" && !isPaused(),
      }),
      apply,
      report,
      onLevels: () => this.start(),
    });
    this.#tables.push(added);
    return added;
  }

  /** Where no table has levels there is nothing to look for. */
  start(): void {
    if (this.#cancel === undefined && this.#tables.some(({ hasLevels }) => hasLevels)) this.#wait();
  }

  close(): void {
    this.#cancel?.();
  }

  #wait(): void {
    this.#cancel = this.#options.clock.after(LOOK_MS, () => {
      for (const table of this.#tables) table.look();
      this.#wait();
    });
  }
}
