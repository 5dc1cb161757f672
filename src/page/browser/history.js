// @ts-check
/** The samples of the last hour, as columns. */

/** @typedef {import("./report.js").Series} Series */

/** So much is shown: an hour of samples. */
const KEPT_SECONDS = 3600;

/** The samples of the last hour. */
export class History {
  /** @type {number[]} */
  at = [];
  /** @type {Series} */
  series = {};

  /** @param {{ at: number[], series: Series }} history */
  replace({ at, series }) {
    this.at = [...at];
    this.series = Object.fromEntries(Object.entries(series).map(([name, values]) => [name, [...values]]));
  }

  /** @param {{ at: number } & Record<string, number | null>} sample */
  add({ at, ...values }) {
    const last = this.at.at(-1);
    if (last !== undefined && at <= last) return;
    this.at.push(at);
    for (const name of new Set([...Object.keys(this.series), ...Object.keys(values)])) {
      this.series[name] ??= new Array(this.at.length - 1).fill(null);
      this.series[name].push(values[name] ?? null);
    }
    const old = this.at.findIndex((each) => each >= at - KEPT_SECONDS);
    if (old <= 0) return;
    this.at.splice(0, old);
    for (const values of Object.values(this.series)) values.splice(0, old);
  }
}
