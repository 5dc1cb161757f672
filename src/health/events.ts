import type { Imbalance, RowSums } from "./row-sums.js";

/** A table's rows do not add up, or by other numbers than before; or they do again. */
export interface ConservationEvent {
  readonly kind: "conservation";
  readonly table: string;
  readonly holds: boolean;
  readonly imbalance: Imbalance;
  readonly sums: RowSums;
}
