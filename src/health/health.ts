import type { Clock } from "../base/clock.js";
import { SECOND_MS } from "../base/units.js";
import { type ConditionLimits, type ConditionSigns, Conditions } from "./conditions.js";
import type { Condition, ConditionEvent } from "./events.js";

/** A table that is looked at again and again. */
interface Watched extends Omit<ConditionSigns, "spoolUsage"> {
  /** Looks whether its rows add up; not called within a step of the pipeline. */
  look(): void;
}

export interface HealthOptions {
  readonly clock: Clock;
  /** Without them there are no conditions. */
  readonly limits: ConditionLimits | undefined;
  readonly tables: ReadonlyMap<string, Watched>;
  /** Bytes that the spool of a table takes, and may take. */
  readonly spoolOf: (table: string) => { readonly bytes: number; readonly max: number } | undefined;
  readonly report: (event: ConditionEvent) => void;
}

/** Looks at what must hold of a running recorder, between two steps of its pipeline. */
export class Health {
  readonly #options: HealthOptions;
  readonly #conditions: Conditions | undefined;
  #isLooking = false;
  #cancel: (() => void) | undefined;

  constructor(options: HealthOptions) {
    const { limits, clock, report } = options;
    this.#options = options;
    this.#conditions = limits && new Conditions(limits, clock, report);
  }

  /** Looks every second, too: what is a matter of time needs no batch. */
  start(): void {
    if (this.#conditions === undefined) return;
    this.#cancel = this.#options.clock.after(SECOND_MS, () => {
      this.look();
      this.#lookAtConditions(this.#conditions!);
      this.start();
    });
  }

  /** Other limits from now on, for what has them. */
  setLimits(limits: ConditionLimits): void {
    this.#conditions?.setLimits(limits);
  }

  close(): void {
    this.#cancel?.();
  }

  /** A batch is due or through: looks once the step that it is part of is over. */
  lookSoon(): void {
    if (this.#isLooking) return;
    this.#isLooking = true;
    setImmediate(() => {
      this.#isLooking = false;
      this.look();
    });
  }

  look(): void {
    for (const table of this.#options.tables.values()) table.look();
  }

  /** Those that hold. */
  get conditions(): readonly Condition[] {
    return this.#conditions?.all ?? [];
  }

  #lookAtConditions(conditions: Conditions): void {
    for (const [name, { dropShare, level }] of this.#options.tables) {
      const { bytes, max } = this.#options.spoolOf(name) ?? { bytes: 0, max: 1 };
      conditions.look(name, { dropShare, level, spoolUsage: bytes / max });
    }
  }
}
