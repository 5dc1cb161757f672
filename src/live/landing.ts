import type { RecorderStats } from "../recorder.js";
import type { Look } from "./look.js";

/** A table whose rows wait while none is stored. */
export interface NotLanding {
  readonly table: string;
  /** That wait, those of earlier starts included. */
  readonly rows: number;
  /** Since when none was stored, though some waited all the while. */
  readonly seconds: number;
}

interface Waiting {
  readonly since: number;
  readonly landed: number;
  rows: number;
}

/** Whether the rows of each table land. A quiet table neither does nor does not. */
export class Landing {
  readonly #waiting = new Map<string, Waiting>();
  #at = 0;

  look(stats: RecorderStats, { at, flows }: Look): void {
    this.#at = at;
    for (const [name, { pending, inherited }] of Object.entries(stats.tables)) {
      const rows = pending.rows + inherited.pending;
      const { stored, deadLettered } = flows[name]!;
      const landed = stored + deadLettered;
      const before = this.#waiting.get(name);
      if (rows === 0) this.#waiting.delete(name);
      else if (before?.landed === landed) before.rows = rows;
      else this.#waiting.set(name, { since: at, landed, rows });
    }
  }

  /** Those of which none has landed for longer than so many seconds. */
  longerThan(limit: number): NotLanding[] {
    return [...this.#waiting].flatMap(([table, { since, rows }]) => {
      const seconds = this.#at - since;
      return seconds > limit ? [{ table, rows, seconds }] : [];
    });
  }
}
