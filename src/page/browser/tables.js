// @ts-check
/** The table of tables. On a phone the style sheet makes a card of each row, with the names of the columns in it. */

import { el, setAttribute, setText } from "./dom.js";
import { latencyText, NOTHING, plural, rateText, shareText, shortCountText } from "./format.js";

/**
 * @typedef {import("./report.js").Report} Report
 * @typedef {import("./report.js").TableReport} TableReport
 * @typedef {import("./report.js").Rates} Rates
 * @typedef {{ text: string, title?: string, tone?: string, bar?: number }} Cell
 * @typedef {{ name: string, explain: string, isNumber?: boolean, cell: (table: TableReport, rates: Rates | undefined) => Cell }} Column
 */

/** @type {readonly Column[]} */
const COLUMNS = [
  {
    name: "Class",
    explain: "Critical rows are never left out",
    cell: ({ class: kind }) => ({ text: kind.replaceAll("_", " ") }),
  },
  { name: "Level", explain: "Step of the ladder under load", cell: levelCell },
  {
    name: "Pressure",
    explain: "0 % at rest, 100 % when rows have no room",
    isNumber: true,
    cell: pressureCell,
  },
  {
    name: "Queue",
    explain: "Share of its room that waiting rows take",
    isNumber: true,
    cell: ({ usage }) => ({ text: shareText(usage), bar: usage }),
  },
  {
    name: "Rows/s",
    explain: "Stored a second",
    isNumber: true,
    cell: ({ perSecond }, rates) => ({ text: rateText(rates?.stored ?? perSecond.stored) }),
  },
  {
    name: "Fresh",
    explain: "Age of the oldest row when it was stored, or of the oldest that waits",
    isNumber: true,
    cell: freshCell,
  },
  {
    name: "Stored",
    explain: "Since the start",
    isNumber: true,
    cell: ({ stored, inherited }) => countCell(stored + inherited.stored),
  },
  {
    name: "Waiting",
    explain: "Taken, and not stored yet",
    isNumber: true,
    cell: ({ pending, inherited }) => countCell(pending.rows + inherited.pending),
  },
  {
    name: "Left out",
    explain: "By a policy or a level",
    isNumber: true,
    cell: ({ deduplicated, sampled }) => countCell(deduplicated + sampled),
  },
  {
    name: "Dropped",
    explain: "For want of room",
    isNumber: true,
    cell: ({ dropped }) => reasonsCell(dropped, "bad"),
  },
  {
    name: "Refused",
    explain: "Not taken",
    isNumber: true,
    cell: ({ refused }) => reasonsCell(refused, "warn"),
  },
  {
    name: "Dead letters",
    explain: "Rows that ClickHouse or a schema refused, kept in files",
    isNumber: true,
    cell: ({ deadLettered, inherited }) => alarmCell(deadLettered + inherited.deadLettered, "warn"),
  },
];

/** Shows {@link Report} tables, each row made once and changed in place. */
export class TableOfTables {
  #body = el("tbody", { role: "rowgroup" });
  /** @type {Map<string, { element: HTMLElement, show: (table: TableReport, rates: Rates | undefined) => void }>} */
  #rows = new Map();

  /** @param {HTMLElement} host */
  constructor(host) {
    const heads = COLUMNS.map(({ name, explain, isNumber }) =>
      el(
        "th",
        { scope: "col", role: "columnheader", title: explain, class: isNumber === true ? "number" : "" },
        name,
      ),
    );
    const head = el(
      "tr",
      { role: "row" },
      el("th", { scope: "col", role: "columnheader" }, "Table"),
      ...heads,
    );
    const table = el(
      "table",
      { role: "table", "aria-label": "Tables" },
      el("thead", { role: "rowgroup" }, head),
      this.#body,
    );
    // It scrolls where it is wider than the screen, for who has no mouse by its keys.
    host.tabIndex = 0;
    setAttribute(host, "role", "region");
    setAttribute(host, "aria-labelledby", "tables-title");
    host.replaceChildren(table);
  }

  /** @param {Report} report */
  show({ tables, rates }) {
    for (const [name, table] of Object.entries(tables)) {
      const row = this.#rows.get(name) ?? this.#addRow(name);
      row.show(table, rates.tables[name]);
    }
    // A service that is started anew may have others.
    for (const [name, { element }] of this.#rows) {
      if (Object.hasOwn(tables, name)) continue;
      element.remove();
      this.#rows.delete(name);
    }
  }

  /** @param {string} name */
  #addRow(name) {
    const note = el("span", { class: "row-note" });
    const head = el(
      "th",
      { scope: "row", role: "rowheader" },
      el("span", { class: "table-name" }, name),
      note,
    );
    const cells = COLUMNS.map((column) => addCell(column));
    const element = el("tr", { role: "row" }, head, ...cells.map((cell) => cell.element));
    this.#body.append(element);
    /** @type {(table: TableReport, rates: Rates | undefined) => void} */
    const show = (table, rates) => {
      setText(
        note,
        table.paused === undefined ? "" : `paused: ${table.paused.code}: ${table.paused.message}`,
      );
      for (const cell of cells) cell.show(table, rates);
    };
    const row = { element, show };
    this.#rows.set(name, row);
    return row;
  }
}

/** @param {Column} column */
function addCell({ name, isNumber, cell }) {
  const text = el("span", { class: "cell-text" });
  const fill = el("span", { class: "meter-fill" });
  const meter = el("span", { class: "meter", "aria-hidden": "true" }, fill);
  const element = el(
    "td",
    { role: "cell", "data-column": name, class: isNumber === true ? "number" : "" },
    text,
  );
  return {
    element,
    /**
     * @param {TableReport} table
     * @param {Rates | undefined} rates
     */
    show: (table, rates) => {
      const { text: words, title = "", tone = "", bar } = cell(table, rates);
      setText(text, words);
      setAttribute(element, "data-tone", tone);
      if (element.title !== title) element.title = title;
      setAttribute(element, "data-zero", words === "0" ? "yes" : "no");
      if (bar === undefined) return;
      if (meter.parentNode === null) element.prepend(meter);
      fill.style.width = `${Math.round(Math.min(1, bar) * 100)}%`;
      setAttribute(meter, "data-tone", bar > 0.9 ? "bad" : bar > 0.7 ? "warn" : "");
    },
  };
}

/**
 * @param {TableReport} table
 * @returns {Cell}
 */
function levelCell({ level }) {
  return level.index === 0 ? { text: "normal" } : { text: `▲ ${level.index} ${level.step}`, tone: "warn" };
}

/**
 * @param {TableReport} table
 * @returns {Cell}
 */
function pressureCell({ pressure }) {
  return { text: shareText(pressure.value), title: `from ${pressure.cause}`, bar: pressure.value };
}

/**
 * @param {TableReport} table
 * @returns {Cell}
 */
function freshCell({ freshnessSeconds, oldestSeconds }) {
  if (freshnessSeconds === undefined && oldestSeconds === undefined) return { text: NOTHING };
  return { text: latencyText(Math.max(freshnessSeconds ?? 0, oldestSeconds ?? 0)) };
}

/**
 * @param {number} count
 * @returns {Cell}
 */
function countCell(count) {
  return { text: shortCountText(count), title: plural(count, "row") };
}

/**
 * @param {number} count
 * @param {string} tone
 * @returns {Cell}
 */
function alarmCell(count, tone) {
  return count === 0 ? { text: "0" } : { ...countCell(count), tone };
}

/**
 * @param {Record<string, number>} counts By reason.
 * @param {string} tone
 * @returns {Cell}
 */
function reasonsCell(counts, tone) {
  const reasons = Object.entries(counts).filter(([, count]) => count > 0);
  const sum = reasons.reduce((total, [, count]) => total + count, 0);
  return {
    ...alarmCell(sum, tone),
    title: reasons.map(([reason, count]) => `${reason}: ${count}`).join("\n"),
  };
}
