// @ts-check
/** The samples of the last hour, as columns. */

/**
 * @typedef {import("./report.js").Series} Series
 * @typedef {{ at: number } & Record<string, number | null>} Sample
 */

/** So much is shown: an hour of samples. */
const KEPT_SECONDS = 3600;
/** Samples come each five seconds: after a longer time without any a line is not drawn on. */
const GAP_SECONDS = 15;

/** The samples of the last hour. */
export class History {
  /** @type {number[]} */
  at = [];
  /** @type {Series} */
  series = {};

  /**
   * What the service remembers counts; what it has forgotten, as it was started anew, stays.
   * @param {{ at: number[], series: Series }} told
   */
  load({ at, series }) {
    const shown = samplesOf(this).filter(({ at: _, ...values }) =>
      Object.values(values).some((each) => each !== null),
    );
    const first = at[0] ?? Infinity;
    this.at = [];
    this.series = {};
    const before = shown.filter((sample) => sample.at < first);
    // Those that are no later than the last are left out: of what is shown, all but what came while it was asked.
    for (const sample of [...before, ...samplesOf({ at, series }), ...shown]) this.add(sample);
  }

  /** @param {Sample} sample */
  add({ at, ...values }) {
    const last = this.at.at(-1);
    if (last !== undefined && at <= last) return;
    if (last !== undefined && at - last > GAP_SECONDS) this.#push(last + 1, {});
    this.#push(at, values);
    const old = this.at.findIndex((each) => each >= at - KEPT_SECONDS);
    if (old <= 0) return;
    this.at.splice(0, old);
    for (const values of Object.values(this.series)) values.splice(0, old);
  }

  /**
   * @param {number} at
   * @param {Record<string, number | null>} values
   */
  #push(at, values) {
    this.at.push(at);
    for (const name of new Set([...Object.keys(this.series), ...Object.keys(values)])) {
      this.series[name] ??= new Array(this.at.length - 1).fill(null);
      this.series[name].push(values[name] ?? null);
    }
  }
}

/**
 * @param {{ at: number[], series: Series }} columns
 * @returns {Sample[]}
 */
function samplesOf({ at, series }) {
  return at.map((each, index) => {
    const values = Object.entries(series).map(([name, column]) => [name, column[index] ?? null]);
    return { at: each, ...Object.fromEntries(values) };
  });
}
