import type { Imbalance, RowSums } from "./row-sums.js";

/** A table's rows do not add up, or by other numbers than before; or they do again. */
export interface ConservationEvent {
  readonly kind: "conservation";
  readonly table: string;
  readonly holds: boolean;
  readonly imbalance: Imbalance;
  readonly sums: RowSums;
}

/** What an operator should look after, told when it begins and when it is over. */
export type ConditionName = "drop_rate" | "level_held" | "spool_nearly_full";

/** One that holds. */
export interface Condition {
  readonly name: ConditionName;
  readonly table: string;
  /** Unix seconds. */
  readonly since: number;
  /** A share from 0 to 1, or seconds; as of the last look. */
  readonly value: number;
  readonly limit: number;
  readonly message: string;
}

/** A condition holds from now on, or is over. */
export interface ConditionEvent extends Condition {
  readonly kind: "condition";
  readonly holds: boolean;
}
