import { ColdpathError } from "../base/errors.js";
import type { Place } from "./records.js";

/** Bytes of the log are not what was written there. */
export class LogDamagedError extends ColdpathError {
  override readonly name = "LogDamagedError";
  readonly place: Place;

  constructor(place: Place, reason: string) {
    super("WAL_DAMAGED", `Segment ${place.segment} of the log is damaged at byte ${place.offset}: ${reason}`);
    this.place = place;
  }
}
