import { SECOND_MS } from "../../../src/base/units.js";
import type { Timing } from "./messages.js";

/** Calls kept; of more, the last. */
const CALLS_MAX = 1 << 20;
const NS_PER_MS = 1e6;

/** Durations of the calls in one phase. */
export class PhaseTimes {
  readonly phase: string;
  readonly durable: number[] = [];
  readonly #calls = new Float64Array(CALLS_MAX);
  #count = 0;
  #rows = 0;
  #from = Number.NaN;
  #to = Number.NaN;

  constructor(phase: string) {
    this.phase = phase;
  }

  timed(call: () => void): void {
    const from = performance.now();
    call();
    this.#calls[this.#count % CALLS_MAX] = performance.now() - from;
    this.#count += 1;
  }

  /** So many rows were offered from `now` on. */
  passed(now: number, rows: number): void {
    if (Number.isNaN(this.#from)) this.#from = now;
    this.#to = now;
    this.#rows += rows;
  }

  summary(): Timing {
    const calls = this.#calls.slice(0, Math.min(this.#count, CALLS_MAX)).sort();
    const at = (part: number): number =>
      Math.round((calls[Math.floor(calls.length * part)] ?? 0) * NS_PER_MS);
    return {
      phase: this.phase,
      seconds: (this.#to - this.#from) / SECOND_MS,
      rows: this.#rows,
      calls: this.#count,
      p50: at(0.5),
      p99: at(0.99),
      p999: at(0.999),
      durable: this.durable,
    };
  }
}
