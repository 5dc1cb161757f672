/** Rows of one table by what became of them. Each is counted where it happens, by itself. */
export interface RowSums {
  readonly offered: number;
  readonly refused: number;
  readonly accepted: number;
  readonly stored: number;
  readonly pending: number;
  readonly deduplicated: number;
  readonly sampled: number;
  readonly dropped: number;
  readonly deadLettered: number;
}

/** By how many rows sums do not come out even: more than 0, rows are in none of them; less, some are counted twice. */
export interface Imbalance {
  /** Rows offered that were neither refused nor accepted. */
  readonly offered: number;
  /** Rows accepted of which nothing became. */
  readonly accepted: number;
}

/** What is missing in the sums; no rows while each row is counted once. */
export function imbalanceOf(sums: RowSums): Imbalance {
  const { offered, refused, accepted, stored, pending, deduplicated, sampled, dropped, deadLettered } = sums;
  const became = stored + pending + deduplicated + sampled + dropped + deadLettered;
  return { offered: offered - refused - accepted, accepted: accepted - became };
}
