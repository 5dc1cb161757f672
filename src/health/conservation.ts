import type { ConservationEvent } from "./events.js";
import { type Imbalance, imbalanceOf, type RowSums } from "./row-sums.js";

/** Whether a table's counters tell of each row once. */
export interface ConservationStats {
  readonly holds: boolean;
  /** Rows that the sums do not come out even by, as of the last look. */
  readonly imbalance: Imbalance;
  readonly looks: number;
  /** How often the sums came to be wrong, or wrong by other numbers. */
  readonly violations: number;
}

export interface ConservationOptions {
  readonly table: string;
  readonly sums: () => RowSums;
  readonly report: (event: ConservationEvent) => void;
}

/** Looks whether the rows of one table add up, and tells of each change in that. A recorder that miscounts loses rows in silence. */
export class Conservation {
  readonly #options: ConservationOptions;
  #imbalance: Imbalance = { offered: 0, accepted: 0 };
  #looks = 0;
  #violations = 0;

  constructor(options: ConservationOptions) {
    this.#options = options;
  }

  /** To be called between two steps of the pipeline: within one, a row may have left a place and not come to the next. */
  look(): void {
    const { table, sums, report } = this.#options;
    this.#looks += 1;
    const now = sums();
    const { offered, accepted } = imbalanceOf(now);
    const before = this.#imbalance;
    if (offered === before.offered && accepted === before.accepted) return;
    this.#imbalance = { offered, accepted };
    const holds = this.#holds;
    if (!holds) this.#violations += 1;
    report({ kind: "conservation", table, holds, imbalance: this.#imbalance, sums: now });
  }

  get stats(): ConservationStats {
    return {
      holds: this.#holds,
      imbalance: this.#imbalance,
      looks: this.#looks,
      violations: this.#violations,
    };
  }

  get #holds(): boolean {
    return this.#imbalance.offered === 0 && this.#imbalance.accepted === 0;
  }
}
