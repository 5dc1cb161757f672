import type { Clock } from "../base/clock.js";
import { durationText } from "../base/duration-text.js";
import { SECOND_MS } from "../base/units.js";
import type { Condition, ConditionEvent, ConditionName } from "./events.js";

/** When conditions begin: as the configuration has them, shares from 0 to 1 and milliseconds. */
export interface ConditionLimits {
  readonly drop_rate: number;
  readonly level_held: number;
  readonly spool_usage: number;
}

/** What is looked at of one table. */
export interface ConditionSigns {
  /** Share of the rows of the last minute that was dropped, or found no room in a ring. */
  readonly dropShare: number;
  /** Of its ladder; 0 is normal. */
  readonly level: number;
  /** Share of its spool that is taken; 0 without one. */
  readonly spoolUsage: number;
}

interface Measured {
  readonly value: number;
  readonly limit: number;
  readonly message: string;
}

/** A condition is over when its value is below this share of the limit, so that one at its limit is not told again and again. */
const OVER_SHARE = 0.9;

/** The conditions of all tables. */
export class Conditions {
  #limits: ConditionLimits;
  readonly #clock: Clock;
  readonly #report: (event: ConditionEvent) => void;
  readonly #held = new Map<string, Condition>();
  /** By table, monotonic milliseconds since when it is not at its normal level. */
  readonly #raisedAt = new Map<string, number>();

  constructor(limits: ConditionLimits, clock: Clock, report: (event: ConditionEvent) => void) {
    this.#limits = limits;
    this.#clock = clock;
    this.#report = report;
  }

  /** Those that hold. */
  get all(): readonly Condition[] {
    return [...this.#held.values()];
  }

  setLimits(limits: ConditionLimits): void {
    this.#limits = limits;
  }

  look(table: string, signs: ConditionSigns): void {
    const measured = this.#measure(table, signs);
    for (const name of Object.keys(measured) as ConditionName[]) this.#judge(name, table, measured[name]);
  }

  #measure(table: string, { dropShare, level, spoolUsage }: ConditionSigns): Record<ConditionName, Measured> {
    const { drop_rate, level_held, spool_usage } = this.#limits;
    const held = this.#heldFor(table, level);
    return {
      drop_rate: {
        value: dropShare,
        limit: drop_rate,
        message: `${percentText(dropShare)} of the rows of ${table} in the last minute were dropped or found no room in a ring`,
      },
      level_held: {
        value: held,
        limit: level_held / SECOND_MS,
        message: `${table} has not been at its normal level for ${durationText(held)}; it is at level ${level}`,
      },
      spool_nearly_full: {
        value: spoolUsage,
        limit: spool_usage,
        message: `the spool of ${table} is ${percentText(spoolUsage)} full; its oldest rows are dropped when it is full`,
      },
    };
  }

  /** Seconds. */
  #heldFor(table: string, level: number): number {
    const now = this.#clock.monotonic();
    const since = level === 0 ? undefined : (this.#raisedAt.get(table) ?? now);
    if (since === undefined) this.#raisedAt.delete(table);
    else this.#raisedAt.set(table, since);
    return since === undefined ? 0 : (now - since) / SECOND_MS;
  }

  #judge(name: ConditionName, table: string, { value, limit, message }: Measured): void {
    const key = `${name} ${table}`;
    const before = this.#held.get(key);
    const holds = value > (before === undefined ? limit : limit * OVER_SHARE);
    const since = before?.since ?? this.#clock.wall() / SECOND_MS;
    const condition = { name, table, since, value, limit, message };
    if (holds) this.#held.set(key, condition);
    else this.#held.delete(key);
    if (holds !== (before !== undefined)) this.#report({ kind: "condition", holds, ...condition });
  }
}

/** In tenths below ten percent. */
function percentText(share: number): string {
  const percent = share * 100;
  return `${percent < 10 ? percent.toFixed(1) : Math.floor(percent)}%`;
}
