// @ts-check
/** The last hour in five charts that share one cursor, by mouse or by arrow keys. */

import { DrawnChart } from "./drawn-chart.js";
import { bytesText, latencyText, rateText, shareText } from "./format.js";

/**
 * @typedef {import("./drawn-chart.js").Chart} Chart
 * @typedef {import("./history.js").History} History
 */

/** @type {readonly Chart[]} */
const CHARTS = [
  {
    id: "rows",
    title: "Rows a second",
    unit: rateText,
    lines: [
      { name: "storedRowsPerSecond", label: "stored", fill: true, colour: "accent" },
      { name: "offeredRowsPerSecond", label: "offered", dash: [5, 4], colour: "second" },
    ],
  },
  {
    id: "freshness",
    title: "Accepted until visible",
    unit: latencyText,
    lines: [
      { name: "freshnessP50Seconds", label: "p50", colour: "accent" },
      { name: "freshnessP99Seconds", label: "p99", dash: [5, 4], colour: "second" },
    ],
  },
  {
    id: "queue",
    title: "Fullest queue",
    unit: shareText,
    lines: [{ name: "queueUsage", label: "of its room", fill: true, colour: "accent" }],
    most: 1,
  },
  {
    id: "insert",
    title: "INSERT takes",
    unit: latencyText,
    lines: [
      { name: "insertP50Seconds", label: "p50", colour: "accent" },
      { name: "insertP99Seconds", label: "p99", dash: [5, 4], colour: "second" },
    ],
  },
  {
    id: "disk",
    title: "On disk",
    unit: bytesText,
    lines: [
      { name: "walBytes", label: "log", fill: true, colour: "accent" },
      { name: "spoolBytes", label: "spool", dash: [5, 4], colour: "second" },
    ],
    // Powers of two, so that the axis has whole MiB.
    steps: Array.from({ length: 42 }, (_, power) => 2 ** power),
  },
];

/** Draws a {@link History}. */
export class Charts {
  #history;
  #drawn;

  /**
   * @param {HTMLElement} host
   * @param {History} history
   */
  constructor(host, history) {
    this.#history = history;
    this.#drawn = CHARTS.map((chart) => new DrawnChart(chart, host, (at) => this.#point(at)));
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
      for (const chart of this.#drawn) chart.restyle();
    });
    new ResizeObserver(() => {
      for (const chart of this.#drawn) chart.resize();
    }).observe(host);
  }

  /** Shows what the history has now. */
  update() {
    for (const chart of this.#drawn) chart.update(this.#history);
  }

  /** @param {number | null} index Of the sample all charts point at. */
  #point(index) {
    for (const chart of this.#drawn) chart.point(index);
  }
}
