import type { Clock } from "../base/clock.js";
import { formatDuration, SECOND_MS } from "../base/units.js";
import { ValueError } from "../native/block.js";

/**
 * Which event times are taken. One bad clock must not open a partition in 1970 or expire a table, so a row outside is
 * refused; its time is never clamped.
 */
export class EventWindow {
  readonly #accept: { readonly past: number; readonly future: number };
  readonly #clock: Clock;

  /** `accept` in milliseconds before and after now. */
  constructor(accept: { readonly past: number; readonly future: number }, clock: Clock) {
    this.#accept = accept;
    this.#clock = clock;
  }

  /** The window at this moment, Unix seconds, both ends taken. */
  now(): { from: number; to: number } {
    const now = this.#clock.wall();
    return {
      from: Math.floor((now - this.#accept.past) / SECOND_MS),
      to: Math.floor((now + this.#accept.future) / SECOND_MS),
    };
  }

  refusal(column: string, seconds: number): ValueError {
    const { past, future } = this.#accept;
    const reason = `is outside the event times taken: ${formatDuration(past)} back to ${formatDuration(future)} ahead`;
    return new ValueError(column, reason, new Date(seconds * SECOND_MS));
  }
}
