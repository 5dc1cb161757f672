import type { RecorderStats } from "../../src/recorder.js";

/** Where a recorder stands, told when it is ordered to tell. */
export interface Standing {
  readonly kind: "standing";
  /** Rows whose fate is known: as long as they become more it gets on. */
  readonly known: number;
  readonly stats: Pick<RecorderStats, "tables">;
}

export function standingOf(stats: Standing["stats"]): Standing {
  const known = Object.values(stats.tables).reduce(
    (sum, { stored, deadLettered, inherited }) =>
      sum + stored + deadLettered + inherited.stored + inherited.deadLettered,
    0,
  );
  return { kind: "standing", known, stats };
}
