// @ts-check
/** The answer to a question in SQL: as a table, and as a chart if it has something to draw. */

import { axisTheme, chartSize, utc } from "./chart-theme.js";
import { el } from "./dom.js";
import { countText, latencyText, plural, shortCountText } from "./format.js";

/**
 * @typedef {{ columns: { name: string, type: string }[], rows: unknown[][], rowsRead: number, seconds: number, truncated: boolean }} Answer
 * @typedef {{ kind: "line", x: number[], isTime: boolean, lines: { name: string, values: (number | null)[] }[] }} LineChart
 * @typedef {{ kind: "bars", name: string, bars: { label: string, value: number }[] }} BarChart
 */

const LINES_MOST = 4;
const BARS_MOST = 24;
const NUMBER = /^(?:Nullable\()?(?:U?Int\d+|Float\d+|BFloat16|Decimal)/;
const TIME = /^(?:Nullable\()?Date/;

/**
 * What can be drawn of an answer: a line over a time or a rising number, bars of names and numbers, or nothing.
 * @param {Answer} answer
 * @returns {LineChart | BarChart | undefined}
 */
export function chartOf({ columns, rows }) {
  const numbers = columns.flatMap(({ type }, index) => (NUMBER.test(type) ? [index] : []));
  if (rows.length < 2 || numbers.length === 0) return undefined;
  const time = columns.findIndex(({ type }) => TIME.test(type));
  const xColumn = time === -1 && numbers.length > 1 && numbers[0] === 0 ? 0 : time;
  const x =
    xColumn === -1 ? [] : rows.map((row) => (time === -1 ? numberOf(row[xColumn]) : secondsOf(row[xColumn])));
  if (isRising(x)) {
    const lines = numbers
      .filter((index) => index !== xColumn)
      .slice(0, LINES_MOST)
      .map((index) => ({
        name: columns[index]?.name ?? "",
        values: rows.map((row) => numberOf(row[index])),
      }));
    return lines.length === 0
      ? undefined
      : { kind: "line", x: /** @type {number[]} */ (x), isTime: time !== -1, lines };
  }
  return barsOf(columns, rows, numbers);
}

/**
 * @param {Answer["columns"]} columns
 * @param {Answer["rows"]} rows
 * @param {readonly number[]} numbers
 * @returns {BarChart | undefined}
 */
function barsOf(columns, rows, numbers) {
  const labels = columns.flatMap(({ type }, index) => (NUMBER.test(type) || TIME.test(type) ? [] : [index]));
  const number = numbers[0];
  if (labels.length === 0 || number === undefined || rows.length > BARS_MOST) return undefined;
  const bars = rows.map((row) => ({
    label: labels.map((index) => cellText(row[index])).join(" · "),
    value: numberOf(row[number]) ?? 0,
  }));
  return bars.some(({ value }) => value < 0)
    ? undefined
    : { kind: "bars", name: columns[number]?.name ?? "", bars };
}

/**
 * The chart that is shown: the library holds on to each until it is told otherwise.
 * @type {import("uplot") | undefined}
 */
let drawn;

/**
 * Shows an answer in place of what a host had.
 * @param {HTMLElement} host
 * @param {Answer} answer
 */
export function showAnswer(host, answer) {
  const { columns, rows, rowsRead, seconds, truncated } = answer;
  const more = truncated ? ", of more: the answer was cut" : "";
  const summary = `${plural(rows.length, "row")}${more} · ${countText(rowsRead)} read in ${latencyText(seconds)}`;
  const parts = [el("p", { class: "answer-summary", role: "status" }, summary)];
  const chart = chartOf(answer);
  const plot = chart === undefined ? undefined : el("div", { class: "answer-chart" });
  if (plot !== undefined) parts.push(plot);
  if (rows.length > 0) parts.push(tableOf(columns, rows));
  drawn?.destroy();
  drawn = undefined;
  host.replaceChildren(...parts);
  if (chart?.kind === "bars") drawBars(/** @type {HTMLElement} */ (plot), chart);
  else if (chart?.kind === "line") drawLines(/** @type {HTMLElement} */ (plot), chart);
}

/**
 * @param {Answer["columns"]} columns
 * @param {Answer["rows"]} rows
 */
function tableOf(columns, rows) {
  const isNumber = columns.map(({ type }) => NUMBER.test(type));
  const head = columns.map(({ name, type }, index) =>
    el("th", { scope: "col", title: type, class: isNumber[index] === true ? "number" : "" }, name),
  );
  const body = rows.map((row) =>
    el(
      "tr",
      {},
      ...row.map((value, index) =>
        el("td", { class: isNumber[index] === true ? "number" : "" }, cellText(value, columns[index]?.type)),
      ),
    ),
  );
  const table = el("table", {}, el("thead", {}, el("tr", {}, ...head)), el("tbody", {}, ...body));
  return el("div", { class: "answer-table", tabindex: "0", role: "region", "aria-label": "Answer" }, table);
}

/**
 * @param {HTMLElement} host
 * @param {BarChart} chart
 */
function drawBars(host, { name, bars }) {
  const most = Math.max(...bars.map(({ value }) => value), Number.MIN_VALUE);
  const items = bars.map(({ label, value }) => {
    const fill = el("span", { class: "bar-fill" });
    fill.style.width = `${(value / most) * 100}%`;
    return el(
      "li",
      {},
      el("span", { class: "bar-label" }, label),
      el("span", { class: "bar-space", "aria-hidden": "true" }, fill),
      el("span", { class: "bar-number" }, shortCountText(value)),
    );
  });
  host.append(el("p", { class: "legend" }, name), el("ol", { class: "bars" }, ...items));
}

/**
 * @param {HTMLElement} host
 * @param {LineChart} chart
 */
function drawLines(host, { x, isTime, lines }) {
  const theme = axisTheme();
  const dashes = [[], [5, 4], [2, 3], [8, 3, 2, 3]];
  const colours = [theme.colours.accent, theme.colours.second, theme.colours.muted, theme.colours.accent];
  const legend = lines.map(({ name }, index) =>
    el("span", { class: "legend" }, el("span", { class: `swatch line-${index}` }), name),
  );
  const box = el("div", {
    class: "plot",
    role: "img",
    "aria-label": `Chart of ${lines.map(({ name }) => name).join(", ")}`,
  });
  host.append(el("div", { class: "legends" }, ...legend), box);
  const plot = new uPlot(
    {
      ...chartSize(box),
      tzDate: utc,
      legend: { show: false },
      padding: [8, 18, 0, 0],
      cursor: { y: false, drag: { x: false, y: false } },
      scales: { x: { time: isTime } },
      axes: [
        isTime ? theme.time : { ...theme.axis, space: 64, size: 26 },
        { ...theme.axis, size: 64, values: (_plot, splits) => splits.map((split) => axisNumber(split)) },
      ],
      series: [
        {},
        ...lines.map((_line, index) => ({
          stroke: colours[index] ?? theme.colours.muted,
          width: 1.5,
          dash: dashes[index] ?? [],
        })),
      ],
    },
    /** @type {import("uplot").AlignedData} */ ([x, ...lines.map(({ values }) => values)]),
    box,
  );
  drawn = plot;
  new ResizeObserver(() => {
    if (drawn === plot) plot.setSize(chartSize(box));
  }).observe(box);
}

/** @param {number} value */
function axisNumber(value) {
  return Math.abs(value) < 1000 ? String(Number(value.toPrecision(6))) : shortCountText(value);
}

/**
 * A time without what every one has: `2026-01-05 09:30:00.5` of `2026-01-05T09:30:00.5Z`.
 * @param {string} text
 */
function timeOf(text) {
  return text.replace(/^(\d{4}-\d\d-\d\d)T/, "$1 ").replace(/Z$/, "");
}

/**
 * @param {unknown} value
 * @param {string} [type]
 */
function cellText(value, type = "") {
  if (typeof value === "string" && TIME.test(type)) return timeOf(value);
  if (value === null || value === undefined) return "NULL";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/**
 * Numbers of 64 bits and decimals come as text; for drawing a double will do.
 * @param {unknown} value
 */
function numberOf(value) {
  if (value === null || value === undefined || value === "") return null;
  const number = Number(value);
  return Number.isFinite(number) ? number : null;
}

/**
 * Unix seconds of a time as ClickHouse writes it, which is UTC in all of coldpath's tables.
 * @param {unknown} value
 */
function secondsOf(value) {
  if (typeof value !== "string") return null;
  const moment = timeOf(value).replace(" ", "T").slice(0, 23);
  const ms = Date.parse(moment.length === 10 ? moment : `${moment}Z`);
  return Number.isNaN(ms) ? null : ms / 1000;
}

/** @param {readonly (number | null)[]} values */
function isRising(values) {
  return (
    values.length > 1 &&
    values.every((value, index) => value !== null && (index === 0 || value > (values[index - 1] ?? Infinity)))
  );
}
