// @ts-check
/** One chart of the last hour: its names and figures as text, its lines by uPlot. */

import { axisTheme, chartSize, utc } from "./chart-theme.js";
import { el, setAttribute, setText } from "./dom.js";
import { NOTHING, timeText } from "./format.js";
import { History } from "./history.js";

/**
 * @typedef {{ name: string, label: string, dash?: number[], fill?: boolean, colour: "accent" | "muted" | "second" }} Line
 * @typedef {{ id: string, title: string, unit: (value: number | null | undefined) => string, lines: Line[], most?: number, steps?: number[] }} Chart
 */

/** A chart on the page. */
export class DrawnChart {
  #chart;
  #box;
  #figures;
  #when = el("span", { class: "chart-when" });
  /** @type {History} */
  #history = new History();
  /** @type {import("uplot") | undefined} */
  #plot;
  /** @type {number | null} */
  #pointed = null;
  #onPoint;

  /**
   * @param {Chart} chart
   * @param {HTMLElement} host
   * @param {(index: number | null) => void} onPoint
   */
  constructor(chart, host, onPoint) {
    this.#chart = chart;
    this.#onPoint = onPoint;
    this.#figures = chart.lines.map(() => el("span", { class: "figure" }, NOTHING));
    this.#box = el("div", {
      class: "plot",
      tabindex: "0",
      role: "slider",
      "aria-label": `${chart.title}, the last hour`,
      "aria-valuemin": "0",
      "aria-valuemax": "0",
      "aria-valuenow": "0",
    });
    const legend = chart.lines.map((line, index) =>
      el(
        "span",
        { class: "legend" },
        el("span", { class: `swatch ${line.colour}${line.dash === undefined ? "" : " dashed"}` }),
        `${line.label} `,
        this.#figures[index],
      ),
    );
    const head = el("div", { class: "chart-head" }, el("h3", {}, chart.title), this.#when);
    host.append(
      el(
        "div",
        { class: "chart card", id: `chart-${chart.id}` },
        head,
        el("div", { class: "legends" }, ...legend),
        this.#box,
      ),
    );
    this.#box.addEventListener("keydown", (event) => this.#key(event));
    this.#box.addEventListener("blur", () => this.#onPoint(null));
  }

  /** @param {History} history */
  update(history) {
    this.#history = history;
    const data = this.#data();
    if (this.#plot === undefined) this.#plot = this.#draw(data);
    else this.#plot.setData(data);
    setAttribute(this.#box, "class", history.at.length < 2 ? "plot empty" : "plot");
    setAttribute(this.#box, "aria-valuemax", `${Math.max(0, history.at.length - 1)}`);
    this.#tell();
  }

  resize() {
    this.#plot?.setSize(chartSize(this.#box));
  }

  /** Colours are read from the style sheet when a chart is made. */
  restyle() {
    if (this.#plot === undefined) return;
    this.#plot.destroy();
    this.#plot = this.#draw(this.#data());
  }

  /** @param {number | null} index */
  point(index) {
    this.#pointed = index;
    this.#tell();
    const plot = this.#plot;
    const at = index === null ? undefined : this.#history.at[index];
    if (plot === undefined) return;
    plot.setCursor(
      { left: at === undefined ? -10 : plot.valToPos(at, "x"), top: at === undefined ? -10 : 0 },
      false,
    );
  }

  /** @returns {import("uplot").AlignedData} */
  #data() {
    const { at, series } = this.#history;
    const lines = this.#chart.lines.map(({ name }) => series[name] ?? new Array(at.length).fill(null));
    return /** @type {import("uplot").AlignedData} */ ([at, ...lines]);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const { length } = this.#history.at;
    if (length === 0) return;
    const from = this.#pointed ?? length - 1;
    /** @type {Readonly<Record<string, number>>} */
    const targets = {
      ArrowLeft: from - 1,
      ArrowRight: from + 1,
      PageUp: from - 12,
      PageDown: from + 12,
      Home: 0,
      End: length - 1,
    };
    const target = targets[event.key];
    if (target === undefined) return;
    event.preventDefault();
    this.#onPoint(Math.min(length - 1, Math.max(0, target)));
  }

  /** The figures beside the names are those at the cursor, else the newest. */
  #tell() {
    const { at, series } = this.#history;
    const index = this.#pointed ?? at.length - 1;
    const moment = at[index];
    const told = this.#chart.lines.map(({ name, label }, line) => {
      const text = this.#chart.unit(series[name]?.[index]);
      const figure = this.#figures[line];
      if (figure !== undefined) setText(figure, text);
      return `${label} ${text}`;
    });
    setText(this.#when, moment === undefined || this.#pointed === null ? "" : timeText(moment));
    setAttribute(this.#box, "aria-valuenow", `${Math.max(0, index)}`);
    setAttribute(
      this.#box,
      "aria-valuetext",
      moment === undefined ? "no samples yet" : `${timeText(moment)}: ${told.join(", ")}`,
    );
  }

  /** @param {import("uplot").AlignedData} data */
  #draw(data) {
    const { lines, unit, most, steps } = this.#chart;
    const theme = axisTheme();
    return new uPlot(
      {
        ...chartSize(this.#box),
        tzDate: utc,
        legend: { show: false },
        padding: [8, 18, 0, 0],
        cursor: {
          y: false,
          drag: { x: false, y: false },
          points: { size: 6 },
        },
        scales: {
          x: { time: true, range: (_plot, from, to) => [Math.min(from, to - 60), to] },
          y: { range: (_plot, _from, to) => [0, most ?? (to > 0 ? to * 1.12 : 1)] },
        },
        axes: [
          theme.time,
          {
            ...theme.axis,
            size: 58,
            space: 34,
            values: (_plot, splits) => splits.map((split) => unit(split)),
            ...(steps === undefined ? {} : { incrs: steps }),
          },
        ],
        series: [
          {},
          ...lines.map(({ dash, fill, colour }) => ({
            stroke: theme.colours[colour],
            width: 1.5,
            points: { show: false },
            ...(dash === undefined ? {} : { dash }),
            ...(fill === true ? { fill: theme.fill } : {}),
          })),
        ],
        hooks: {
          setCursor: [
            (plot) => {
              // Events of the mouse alone; what point() sets comes back here too.
              if (plot.cursor.event === undefined || plot.cursor.event === null) return;
              const index = (plot.cursor.left ?? -1) < 0 ? null : (plot.cursor.idx ?? null);
              if (index !== this.#pointed) this.#onPoint(index);
            },
          ],
        },
      },
      data,
      this.#box,
    );
  }
}
