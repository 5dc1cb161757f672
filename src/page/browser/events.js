// @ts-check
/** What happened last, newest first. */

import { el } from "./dom.js";
import { momentText, timeText } from "./format.js";

/** @typedef {import("./report.js").ServiceEvent} ServiceEvent */

const SHOWN = 100;
/** @type {Readonly<Record<string, string>>} */
const SIGNS = { debug: "·", info: "○", warn: "▲", error: "■" };

/** A list that new events are put on top of; one that came before is not shown twice. */
export class EventList {
  #list = el("ol", { class: "event-list", tabindex: "0", "aria-label": "Last events, newest first" });
  #empty;
  /** @type {ServiceEvent[]} */
  #shown = [];
  /** Ids rise from event to event, also over restarts of the service. */
  #newest = 0;

  /** @param {HTMLElement} host */
  constructor(host) {
    this.#empty = el("p", { class: "empty-note" }, "Nothing has happened yet that would be worth a line.");
    host.replaceChildren(this.#empty, this.#list);
    this.#list.hidden = true;
  }

  /**
   * What the service remembers; what came by itself meanwhile stays, and what it told before it was started anew.
   * @param {ServiceEvent[]} told
   */
  load(told) {
    const known = new Set(told.map(({ id }) => id));
    const all = [...this.#shown.filter(({ id }) => !known.has(id)), ...told];
    this.#newest = 0;
    this.#shown = [];
    this.#list.replaceChildren();
    for (const event of all.sort((one, other) => one.id - other.id).slice(-SHOWN)) this.add(event);
  }

  /** @param {ServiceEvent} event */
  add(event) {
    if (event.id <= this.#newest) return;
    this.#newest = event.id;
    this.#shown = [...this.#shown, event].slice(-SHOWN);
    const { at } = event;
    const level = Object.hasOwn(SIGNS, event.level) ? event.level : "info";
    const item = el(
      "li",
      { class: level },
      el("span", { class: "event-sign", "aria-hidden": "true" }, SIGNS[level]),
      el(
        "time",
        { datetime: new Date(at * 1000).toISOString(), title: `${momentText(at)} UTC` },
        timeText(at),
      ),
      el(
        "span",
        { class: "event-kind" },
        event.kind.replaceAll("_", " "),
        el("span", { class: "unseen" }, ` (${level})`),
      ),
      el("span", { class: "event-message" }, event.message),
    );
    this.#list.prepend(item);
    while (this.#list.childElementCount > SHOWN) this.#list.lastElementChild?.remove();
    this.#list.hidden = false;
    this.#empty.hidden = true;
  }
}
