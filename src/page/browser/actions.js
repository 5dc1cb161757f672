// @ts-check
/** What an operator with the token can do, each behind a dialog that says what it does and then what it did. */

import { ask, failureText, keepToken, RequestError, token } from "./api.js";
import { byId, el, setText } from "./dom.js";
import { countText, latencyText, plural } from "./format.js";
import { pendingRows } from "./verdict.js";

/**
 * @typedef {import("./report.js").Report} Report
 * @typedef {{ tone: "ok" | "warn" | "bad", lines: string[] }} Outcome
 * @typedef {{ table: string, tell: (text: string) => void, signal: AbortSignal }} Doing
 * @typedef {{
 *   title: string, confirm: string, doing: string, explain: string, picksTable?: boolean,
 *   now: (report: Report | undefined) => string,
 *   run: (doing: Doing) => Promise<Outcome>,
 * }} Action
 */

const POLL_MS = 500;
const GROUPS_TOLD = 5;

/** @type {Readonly<Record<string, Action>>} */
const ACTIONS = {
  flush: {
    title: "Flush",
    confirm: "Flush now",
    doing: "Flushing …",
    explain:
      "Sends what is held now to ClickHouse at once, without waiting for full batches. Safe at any time; it makes smaller parts, so it is no thing to do each second.",
    picksTable: true,
    now: (report) => (report === undefined ? "" : `${plural(pendingRows(report), "row")} wait now.`),
    run: flush,
  },
  replay: {
    title: "Replay the log",
    confirm: "Replay now",
    doing: "Replaying …",
    explain:
      "Tries at once what waits in the log, also rows of tables that are paused. Safe at any time: each row that may be stored is asked for before it is sent, so none is stored twice.",
    now: (report) =>
      report?.wal === undefined
        ? ""
        : `${plural(sumOf(Object.values(report.wal.pending)), "row")} wait in the log now.`,
    run: replay,
  },
  letters: {
    title: "Retry dead letters",
    confirm: "Retry now",
    doing: "Trying again …",
    explain:
      "Tries rows again that ClickHouse or a schema refused, for instance after a missing column was added. Those that are stored leave the dead letters; the others stay, with the reason.",
    picksTable: true,
    now: () => "",
    run: retryLetters,
  },
};

/** Wires the buttons of the page to their dialog. */
export class Actions {
  #dialog = /** @type {HTMLDialogElement} */ (byId("action"));
  /** @type {Action | undefined} */
  #action;
  /** @type {AbortController | undefined} */
  #running;
  #latest;

  /** @param {() => Report | undefined} latest */
  constructor(latest) {
    this.#latest = latest;
    for (const button of document.querySelectorAll("[data-action]")) {
      button.addEventListener("click", () => this.#open(button.getAttribute("data-action") ?? ""));
    }
    byId("action-form").addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#confirm();
    });
    byId("action-cancel").addEventListener("click", () => this.#dialog.close());
    this.#dialog.addEventListener("close", () => this.#running?.abort());
  }

  /** @param {string} name */
  #open(name) {
    const action = ACTIONS[name];
    if (action === undefined) return;
    this.#action = action;
    const report = this.#latest();
    setText(byId("action-title"), action.title);
    setText(byId("action-explain"), action.explain);
    setText(byId("action-now"), action.now(report));
    setText(byId("action-confirm"), action.confirm);
    byId("action-table-field").hidden = action.picksTable !== true;
    const names = Object.keys(report?.tables ?? {});
    byId("action-table").replaceChildren(
      el("option", { value: "" }, "all tables"),
      ...names.map((table) => el("option", { value: table }, table)),
    );
    this.#ready();
    this.#dialog.showModal();
    (token() === undefined ? byId("action-token") : byId("action-confirm")).focus();
    if (name === "letters") void tellLetters();
  }

  /** As before it was confirmed. */
  #ready() {
    byId("action-token-field").hidden = token() !== undefined;
    byId("action-result").hidden = true;
    byId("action-confirm").hidden = false;
    this.#busy(false);
    setText(byId("action-cancel"), "Cancel");
  }

  async #confirm() {
    const action = this.#action;
    if (action === undefined) return;
    const input = /** @type {HTMLInputElement} */ (byId("action-token"));
    if (token() === undefined) keepToken(input.value.trim() || undefined);
    input.value = "";
    this.#running = new AbortController();
    this.#busy(true);
    this.#tell({ tone: "ok", lines: [action.doing] });
    const table = /** @type {HTMLSelectElement} */ (byId("action-table")).value;
    const { signal } = this.#running;
    try {
      const tell = (/** @type {string} */ text) => this.#tell({ tone: "ok", lines: [text] });
      this.#tell(await action.run({ table: action.picksTable === true ? table : "", tell, signal }));
      byId("action-confirm").hidden = true;
      setText(byId("action-cancel"), "Close");
      byId("action-cancel").focus();
    } catch (error) {
      if (signal.aborted) return;
      this.#refused(error);
    } finally {
      this.#busy(false);
    }
  }

  /** @param {unknown} error */
  #refused(error) {
    if (!(error instanceof RequestError && error.status === 401)) {
      this.#tell({ tone: "bad", lines: [failureText(error)] });
      return;
    }
    keepToken(undefined);
    byId("action-token-field").hidden = false;
    this.#tell({ tone: "bad", lines: ["This is not the service's token."] });
    byId("action-token").focus();
  }

  /** @param {boolean} isBusy */
  #busy(isBusy) {
    const confirm = /** @type {HTMLButtonElement} */ (byId("action-confirm"));
    confirm.disabled = isBusy;
  }

  /** @param {Outcome} outcome */
  #tell({ tone, lines }) {
    const result = byId("action-result");
    result.hidden = false;
    result.dataset["tone"] = tone;
    result.replaceChildren(...lines.map((line) => el("p", {}, line)));
  }
}

/**
 * @param {Doing} doing
 * @returns {Promise<Outcome>}
 */
async function flush({ table, signal }) {
  const given = table === "" ? "" : `?table=${encodeURIComponent(table)}`;
  const answer = await ask("POST", `/api/flush${given}`, { signal });
  const tables = Object.entries(
    /** @type {Record<string, { held: number, left: number }>} */ (answer.tables),
  );
  const held = sumOf(tables.map(([, each]) => each.held));
  if (answer.done) {
    const what = held === 0 ? "nothing was held" : `${plural(held, "row")} that were held are settled`;
    return { tone: "ok", lines: [`Done in ${latencyText(answer.seconds)}: ${what}.`] };
  }
  const waiting = tables.filter(([, { left }]) => left > 0);
  return {
    tone: "warn",
    lines: [
      `After ${latencyText(answer.seconds)} not all of it is stored; it is tried on.`,
      ...waiting.map(([name, { left }]) => `${name}: ${plural(left, "row")} left`),
    ],
  };
}

/**
 * @param {Doing} doing
 * @returns {Promise<Outcome>}
 */
async function replay({ tell, signal }) {
  const started = await ask("POST", "/api/replay", { signal });
  const total = sumOf(Object.values(started.pending));
  if (total === 0) return { tone: "ok", lines: ["Nothing waits in the log."] };
  for (;;) {
    const { pending, paused } = await ask("GET", `/api/replay/${encodeURIComponent(started.id)}`, { signal });
    const left = sumOf(Object.values(/** @type {Record<string, number>} */ (pending)));
    if (left === 0) return { tone: "ok", lines: [`Done: ${plural(total, "row")} of the log are settled.`] };
    const reasons = Object.entries(/** @type {Record<string, { code: string, message: string }>} */ (paused));
    if (reasons.length > 0) {
      const lines = reasons.map(([name, { code, message }]) => `${name} is paused: ${code}: ${message}`);
      return { tone: "bad", lines: [`${countText(left)} of ${plural(total, "row")} are left.`, ...lines] };
    }
    tell(
      `${countText(left)} of ${plural(total, "row")} are left. This window may be closed; the replay goes on.`,
    );
    await pause(POLL_MS, signal);
  }
}

/**
 * @param {Doing} doing
 * @returns {Promise<Outcome>}
 */
async function retryLetters({ table, signal }) {
  const { tables } = await ask("POST", "/api/dead-letters/retry", {
    body: table === "" ? { all: true } : { table },
    signal,
  });
  const retried =
    /** @type {{ table: string, stored: number, found: number, left: { reason: string }[] }[]} */ (tables);
  if (retried.length === 0) return { tone: "ok", lines: ["There are no dead letters."] };
  const left = sumOf(retried.map((each) => each.left.length));
  const lines = retried.map(
    (each) =>
      `${each.table}: ${each.stored} stored now, ${each.found} found stored, ${each.left.length} left`,
  );
  const reasons = new Set(retried.flatMap((each) => each.left.map(({ reason }) => reason)));
  return { tone: left === 0 ? "ok" : "warn", lines: [...lines, ...[...reasons].slice(0, 5)] };
}

/** How many there are, by table and reason. */
async function tellLetters() {
  try {
    const { groups } = await ask("GET", "/api/dead-letters");
    const counted = /** @type {{ table: string, reason: string, letters: number }[]} */ (groups);
    const told = counted
      .slice(0, GROUPS_TOLD)
      .map(({ table, reason, letters }) => `${table}: ${countText(letters)} × ${reason}`);
    const more = counted.length - told.length;
    setText(
      byId("action-now"),
      counted.length === 0
        ? "There are none now."
        : [...told, ...(more > 0 ? [`and ${more} more reasons`] : [])].join("\n"),
    );
  } catch (error) {
    setText(byId("action-now"), failureText(error));
  }
}

/**
 * @param {number} ms
 * @param {AbortSignal} signal
 */
function pause(ms, signal) {
  return new Promise((resolve, reject) => {
    setTimeout(resolve, ms);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}

/** @param {readonly number[]} counts */
function sumOf(counts) {
  return counts.reduce((sum, count) => sum + count, 0);
}
