import type { Pause } from "./lane.js";

/** How far the rows are that were pending when a replay was asked for. */
export interface ReplayProgress {
  /** By table: rows whose fate is not known yet; tables without any are left out. */
  readonly pending: Readonly<Record<string, number>>;
  /** Those of them that were tried since and are paused: their rows wait until somebody changes something. */
  readonly paused: Readonly<Record<string, Pause>>;
}

/** Of one table, as it stands when it is asked. */
export interface ReplayedTable {
  readonly table: string;
  readonly pending: () => number;
  readonly paused: () => Pause | undefined;
}

/** The rows that were pending at one moment, watched until their fate is known. */
export class Replay {
  readonly #tables: readonly ReplayedTable[];

  constructor(tables: readonly ReplayedTable[]) {
    this.#tables = tables;
  }

  get progress(): ReplayProgress {
    const pending: Record<string, number> = {};
    const paused: Record<string, Pause> = {};
    for (const each of this.#tables) {
      const rows = each.pending();
      if (rows === 0) continue;
      pending[each.table] = rows;
      const reason = each.paused();
      if (reason !== undefined) paused[each.table] = reason;
    }
    return { pending, paused };
  }
}
