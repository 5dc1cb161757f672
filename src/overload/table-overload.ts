import type { Clock } from "../base/clock.js";
import { SECOND_MS } from "../base/units.js";
import type { DropPermit, Droppable } from "../buffer/drop-permit.js";
import type { LevelEvent } from "./events.js";
import { Ladder, type LadderStep, type LevelRules } from "./ladder.js";
import { type LevelChange, Levels } from "./levels.js";
import { Lasting, Peak, type Pressure, type PressureCause, pressureOf, type Signs } from "./pressure.js";

/** Everything that can be seen of a table's load but time. */
interface TableSigns extends Omit<Signs, "lateMs"> {
  /** Monotonic milliseconds when its oldest row not with the sink was taken; undefined if it has none. */
  readonly oldestAt: number | undefined;
  /** Whether rows of it could be stored now: ClickHouse answers, and has not refused the table. */
  readonly isServed: boolean;
}

/** What fills a ring is that its thread gets no CPU, most of all: once it does, it empties a full one in so much time. */
const FILLED_MS = 200;
/** Behind a full table half a ring is all the room there is. */
const WAITING_MS = 40;

interface TableOverloadOptions {
  readonly table: string;
  readonly ladder: Ladder;
  readonly clock: Clock;
  readonly signs: () => TableSigns;
  /** Rows are thinned out by these rules from now on, on top of the user's. */
  readonly apply: (rules: LevelRules) => void;
  readonly report: (event: LevelEvent) => void;
  /** It may have levels from now on, and is to be looked at. */
  readonly onLevels: () => void;
}

/** How a table stands. */
export interface OverloadStats {
  readonly level: {
    /** 0 is normal. */
    readonly index: number;
    readonly step: string;
    /** When it was entered, Unix seconds. */
    readonly since: number;
    /** How often the level has changed. */
    readonly changes: number;
  };
  readonly pressure: Pressure;
}

/** The pressure and the level of one table. */
export class TableOverload implements DropPermit {
  readonly #options: TableOverloadOptions;
  readonly #levels: Levels;
  #ladder: Ladder;
  readonly #peak = new Peak();
  readonly #filled = new Lasting(FILLED_MS);
  readonly #waiting = new Lasting(WAITING_MS);
  /** Monotonic milliseconds since when rows could be stored. */
  #servedSince: number;
  /** Unix milliseconds of the last change. */
  #since: number;
  #isApplying = false;

  constructor(options: TableOverloadOptions) {
    const { ladder, clock } = options;
    this.#options = options;
    this.#ladder = ladder;
    this.#levels = new Levels(ladder.thresholds, clock.monotonic());
    this.#servedSince = clock.monotonic();
    this.#since = clock.wall();
  }

  get droppable(): Droppable {
    return this.#ladder.droppableAt(this.#levels.index);
  }

  get hasLevels(): boolean {
    return this.#ladder.steps.length > 0;
  }

  /** 0 is normal. */
  get level(): number {
    return this.#levels.index;
  }

  raise(reason: string): boolean {
    const { clock } = this.#options;
    const to = this.#ladder.dropsMoreThan(this.level);
    if (to === undefined) return false;
    const { value } = this.#read();
    this.#enter(this.#levels.force(to, clock.monotonic()), {
      forced: true,
      value,
      cause: reason === "memory_full" ? "memory" : "queue",
    });
    return true;
  }

  /** Takes in how the table stands now, and changes its level if that calls for it. */
  look(): void {
    const { value, cause } = this.#read();
    const change = this.#levels.look(value, this.#options.clock.monotonic());
    if (change !== undefined) this.#enter(change, { forced: false, value, cause });
  }

  /** Other steps from now on, at the level that the pressure asks for. */
  setSteps(steps: readonly LadderStep[]): void {
    const { clock, onLevels } = this.#options;
    this.#ladder = new Ladder(steps);
    const { value, cause } = this.#read();
    const change = this.#levels.setSteps(this.#ladder.thresholds, value, clock.monotonic());
    if (change === undefined) this.#apply();
    else this.#enter(change, { forced: false, value, cause });
    onLevels();
  }

  stats(): OverloadStats {
    const { index, changes } = this.#levels;
    return {
      level: { index, step: this.#ladder.nameOf(index), since: this.#since / SECOND_MS, changes },
      pressure: this.#read(),
    };
  }

  /** The pressure now; its value is that of a peak that has just been. */
  #read(): Pressure {
    const { clock, signs } = this.#options;
    const now = clock.monotonic();
    const { oldestAt = now, isServed, ring, ...rest } = signs();
    if (!isServed) this.#servedSince = now;
    const pressure = pressureOf({
      ...rest,
      ring: ring && {
        filled: this.#filled.of(ring.filled, now),
        waiting: this.#waiting.of(ring.waiting, now),
      },
      lateMs: now - Math.max(oldestAt, this.#servedSince),
    });
    return { ...pressure, value: this.#peak.of(pressure.value, now) };
  }

  #enter(
    { from, to }: LevelChange,
    why: { readonly forced: boolean; readonly value: number; readonly cause: PressureCause },
  ): void {
    const { table, clock, report } = this.#options;
    this.#since = clock.wall();
    const { forced, value, cause } = why;
    report({ kind: "level", table, from, to, step: this.#ladder.nameOf(to), forced, pressure: value, cause });
    this.#apply();
  }

  /** Rows that are let go by a change of rules may need room, so that the level changes once more in between. */
  #apply(): void {
    if (this.#isApplying) return;
    this.#isApplying = true;
    const { apply } = this.#options;
    let applied: number;
    do {
      applied = this.level;
      apply(this.#ladder.rulesAt(applied));
    } while (applied !== this.level);
    this.#isApplying = false;
  }
}
