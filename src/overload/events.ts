import type { PressureCause } from "./pressure.js";

/** Rows of a table are thinned out or dropped at another level of its ladder from now on. */
export interface LevelEvent {
  readonly kind: "level";
  readonly table: string;
  /** 0 is normal. */
  readonly from: number;
  readonly to: number;
  /** What the new level's step does; `normal`. */
  readonly step: string;
  /** Room was needed that no gentler step could make, whatever the pressure. */
  readonly forced: boolean;
  readonly pressure: number;
  readonly cause: PressureCause;
}
