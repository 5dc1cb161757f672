// @ts-check
/** The drawing of a row's way: rows a second on each edge, where rows wait, and which part is not well. */

import { setAttribute, setText, svg } from "./dom.js";
import { rateText, shortCountText, shortRateText } from "./format.js";
import { NARROW, WIDE } from "./pipeline-places.js";
import { pipelineOf } from "./pipeline-state.js";

/**
 * @typedef {import("./report.js").Report} Report
 * @typedef {import("./verdict.js").Tone} Tone
 * @typedef {import("./pipeline-places.js").NodeName} NodeName
 * @typedef {import("./pipeline-places.js").EdgeName} EdgeName
 * @typedef {import("./pipeline-state.js").NodeState} NodeState
 * @typedef {import("./pipeline-state.js").EdgeState} EdgeState
 * @typedef {import("./pipeline-state.js").PipelineState} PipelineState
 */

/** @type {Readonly<Record<NodeName, string>>} */
const TITLES = {
  producers: "Producers",
  recorder: "Recorder",
  log: "Log",
  memory: "Memory",
  spool: "Spool",
  clickhouse: "ClickHouse",
};

/** Shapes as well as colours. */
/** @type {Readonly<Record<Tone, string>>} */
const SIGNS = {
  ok: "M-4.5 0A4.5 4.5 0 1 0 4.5 0A4.5 4.5 0 1 0 -4.5 0Z",
  idle: "M-4 0A4 4 0 1 0 4 0A4 4 0 1 0 -4 0Z",
  warn: "M0 -5.5L6 5H-6Z",
  bad: "M-5 -5H5V5H-5Z",
};

/** Draws into an element, again when the place it has turns from wide to narrow. */
export class PipelineDrawing {
  #host;
  /** @type {((state: PipelineState) => void) | undefined} */
  #update;
  /** @type {PipelineState | undefined} */
  #state;

  /** @param {HTMLElement} host */
  constructor(host) {
    this.#host = host;
    const narrow = matchMedia("(max-width: 860px)");
    narrow.addEventListener("change", () => this.#draw(narrow.matches));
    this.#draw(narrow.matches);
  }

  /** @param {Report} report */
  show(report) {
    this.#state = pipelineOf(report);
    this.#update?.(this.#state);
  }

  /** @param {boolean} isNarrow */
  #draw(isNarrow) {
    const places = isNarrow ? NARROW : WIDE;
    const drawing = svg("svg", {
      viewBox: `${places.left} 0 ${places.width} ${places.height}`,
      role: "img",
      "aria-label": "The way of rows from producers to ClickHouse",
      class: isNarrow ? "pipeline narrow" : "pipeline",
    });
    drawing.append(arrowheads());
    const edges = Object.entries(places.edges).map(
      ([name, place]) =>
        /** @type {const} */ ([
          /** @type {EdgeName} */ (name),
          edge(drawing, place, isNarrow ? shortRateText : rateText),
        ]),
    );
    const nodes = Object.entries(places.nodes).map(
      ([name, box]) =>
        /** @type {const} */ ([
          /** @type {NodeName} */ (name),
          node(drawing, /** @type {NodeName} */ (name), box),
        ]),
    );
    this.#host.replaceChildren(drawing);
    this.#update = (state) => {
      for (const [name, update] of edges) update(state.edges[name]);
      for (const [name, update] of nodes) update(state.nodes[name]);
      setAttribute(drawing, "aria-label", summaryOf(state));
    };
    if (this.#state !== undefined) this.#update(this.#state);
  }
}

/**
 * The drawing in words, for who does not see it.
 * @param {PipelineState} state
 */
function summaryOf({ nodes, edges }) {
  const flows = Object.values(edges)
    .filter(({ rate }) => rate !== undefined)
    .map(({ label, rate }) => `${label} ${rateText(rate)} rows per second`);
  const parts = Object.entries(nodes).map(
    ([name, { first, second }]) => `${TITLES[/** @type {NodeName} */ (name)]}: ${first} ${second}`,
  );
  return `The way of rows. ${parts.join("; ")}. ${flows.join(", ")}.`;
}

/** One for each tone, as an arrowhead does not take its line's colour in every browser. */
function arrowheads() {
  const heads = ["ok", "idle", "warn", "bad"].map((tone) =>
    svg(
      "marker",
      {
        id: `head-${tone}`,
        viewBox: "0 0 8 8",
        refX: "5.5",
        refY: "4",
        markerWidth: "8",
        markerHeight: "8",
        orient: "auto",
        markerUnits: "userSpaceOnUse",
      },
      svg("path", { d: "M0.5 0.8L7 4L0.5 7.2Z", class: `arrow ${tone}` }),
    ),
  );
  return svg("defs", {}, ...heads);
}

/**
 * @param {SVGElement} drawing
 * @param {import("./pipeline-places.js").EdgePlace} place
 * @param {(perSecond: number) => string} text Of a rate.
 * @returns {(state: EdgeState) => void}
 */
function edge(drawing, { path, x, y, anchor }, text) {
  const line = svg("path", { d: path, class: "edge" });
  const flow = svg("path", { d: path, class: "flow" });
  const rate = svg("tspan", { class: "rate", x: `${x}` });
  const label = svg("tspan", { class: "label", x: `${x}`, dy: "16" });
  const words = svg("text", { x: `${x}`, y: `${y}`, "text-anchor": anchor, class: "edge-text" }, rate, label);
  drawing.append(line, flow, words);
  return (state) => {
    const isFlowing = state.rate !== undefined && state.rate > 0;
    setAttribute(line, "class", `edge ${state.tone}${isFlowing ? " flowing" : ""}`);
    setAttribute(line, "marker-end", `url(#head-${isFlowing || state.tone === "bad" ? state.tone : "idle"})`);
    setAttribute(flow, "class", `flow ${state.tone}${isFlowing ? " flowing" : ""}`);
    const isTotal = state.total !== undefined && !isFlowing;
    setText(
      rate,
      isTotal ? shortCountText(state.total) : state.rate === undefined ? "" : `${text(state.rate)}/s`,
    );
    setText(label, state.label);
    setAttribute(words, "class", `edge-text ${state.tone}${isTotal && state.total === 0 ? " quiet" : ""}`);
  };
}

/**
 * @param {SVGElement} drawing
 * @param {NodeName} name
 * @param {import("./pipeline-places.js").Box} box
 * @returns {(state: NodeState) => void}
 */
function node(drawing, name, { x, y, w, h }) {
  const left = `${x + 14}`;
  const sign = svg("path", { class: "sign", transform: `translate(${x + w - 16} ${y + 17})` });
  const first = svg("text", { x: left, y: `${y + 42}`, class: "node-first" });
  const second = svg("text", { x: left, y: `${y + 59}`, class: "node-second" });
  const bar = svg("rect", {
    x: left,
    y: `${y + h - 20}`,
    width: "0",
    height: "5",
    rx: "2.5",
    class: "bar-value",
  });
  const track = svg("rect", {
    x: left,
    y: `${y + h - 20}`,
    width: `${w - 28}`,
    height: "5",
    rx: "2.5",
    class: "bar-track",
  });
  const frame = svg("rect", { x: `${x}`, y: `${y}`, width: `${w}`, height: `${h}`, rx: "9", class: "frame" });
  const title = svg("text", { x: left, y: `${y + 22}`, class: "node-title" }, TITLES[name]);
  const group = svg("g", { class: "node", "data-node": name }, frame, title, sign, first, second, track, bar);
  drawing.append(group);
  return (state) => {
    setAttribute(group, "class", `node ${state.tone}`);
    setAttribute(sign, "d", SIGNS[state.tone]);
    setText(first, state.first);
    setText(second, state.second);
    const hasBar = state.share !== undefined;
    setAttribute(track, "visibility", hasBar ? "visible" : "hidden");
    setAttribute(bar, "visibility", hasBar ? "visible" : "hidden");
    setAttribute(bar, "width", `${Math.round((w - 28) * Math.min(1, state.share ?? 0))}`);
  };
}
