import type { Sample } from "./sample.js";

/**
 * Keeps the series of a counter from going back when the thread that counts dies and another begins at nothing. What the dead one had
 * counted since the last look at it is not known.
 */
export class Continuity {
  #run: string | undefined;
  /** What those before the present one had counted, by series. */
  #before = new Map<string, Sample>();
  #latest = new Map<string, Sample>();

  /** The counts over all that have counted. @param run who counts now */
  over(run: string, counts: readonly Sample[]): Sample[] {
    if (run !== this.#run) {
      this.#run = run;
      this.#before = this.#latest;
    }
    this.#latest = new Map(this.#before);
    for (const sample of counts) {
      const series = JSON.stringify([sample.metricName, sample.labels]);
      const before = this.#before.get(series)?.value ?? 0;
      this.#latest.set(series, { ...sample, value: before + sample.value });
    }
    return [...this.#latest.values()];
  }
}
