// @ts-check
/** What all charts share: colours of the style sheet, times in UTC, sizes of their boxes. */

import { timeText } from "./format.js";

const AXIS_FONT = '11px ui-sans-serif, system-ui, "Segoe UI", Roboto, Helvetica, Arial, sans-serif';

/** Colours as the style sheet has them now, light or dark. */
export function axisTheme() {
  const style = getComputedStyle(document.documentElement);
  const colour = (/** @type {string} */ name) => style.getPropertyValue(name).trim();
  const line = { stroke: colour("--line"), width: 1 };
  const axis = {
    font: AXIS_FONT,
    stroke: colour("--muted"),
    grid: line,
    ticks: { ...line, size: 4 },
    gap: 6,
  };
  return {
    colours: { accent: colour("--accent"), second: colour("--second"), muted: colour("--muted") },
    fill: colour("--accent-soft"),
    axis,
    time: { ...axis, space: 64, size: 26, values: timesOf },
  };
}

/**
 * Times of day, without seconds where the steps are whole minutes.
 * @param {unknown} _plot
 * @param {number[]} splits Unix seconds.
 */
function timesOf(_plot, splits) {
  const isFine = splits.some((split) => split % 60 !== 0);
  return splits.map((split) => timeText(split).slice(0, isFine ? 8 : 5));
}

/**
 * The size a chart has in its box.
 * @param {HTMLElement} box
 */
export function chartSize(box) {
  return { width: Math.max(120, box.clientWidth), height: Math.max(100, box.clientHeight) };
}

/**
 * Times of charts are those of the log: UTC.
 * @param {number} at Unix seconds.
 */
export function utc(at) {
  return uPlot.tzDate(new Date(at * 1000), "Etc/UTC");
}
