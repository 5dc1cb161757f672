// @ts-check
/** What an operator can do is done in a dialog, which says what it will do, asks for the token and tells what it did. */

import { failureText, keepToken, RequestError, token } from "./api.js";
import { byId, el, setText } from "./dom.js";
import { OPERATIONS } from "./operations.js";

/** @typedef {import("./report.js").Report} Report */

/** Wires the buttons of the page to their dialog. */
export class Actions {
  #dialog = /** @type {HTMLDialogElement} */ (byId("action"));
  /** @type {import("./operations.js").Operation | undefined} */
  #operation;
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
    const operation = OPERATIONS[name];
    if (operation === undefined) return;
    this.#operation = operation;
    const report = this.#latest();
    setText(byId("action-title"), operation.title);
    setText(byId("action-explain"), operation.explain);
    setText(byId("action-confirm"), operation.confirm);
    byId("action-table-field").hidden = operation.picksTable !== true;
    void this.#tellNow(operation, report);
    const names = Object.keys(report?.tables ?? {});
    byId("action-table").replaceChildren(
      el("option", { value: "" }, "all tables"),
      ...names.map((table) => el("option", { value: table }, table)),
    );
    this.#ready();
    this.#dialog.showModal();
    (token() === undefined ? byId("action-token") : byId("action-confirm")).focus();
  }

  /**
   * How it stands before it is done.
   * @param {import("./operations.js").Operation} operation
   * @param {Report | undefined} report
   */
  async #tellNow(operation, report) {
    setText(byId("action-now"), "");
    const text = await operation.now(report);
    // Another one may be open by then.
    if (this.#operation === operation) setText(byId("action-now"), text);
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
    const operation = this.#operation;
    if (operation === undefined) return;
    const input = /** @type {HTMLInputElement} */ (byId("action-token"));
    if (token() === undefined) keepToken(input.value.trim() || undefined);
    input.value = "";
    this.#running = new AbortController();
    this.#busy(true);
    // What is under way is not taken back by it.
    setText(byId("action-cancel"), "Close");
    this.#tell({ tone: "ok", lines: [operation.doing] });
    const table = /** @type {HTMLSelectElement} */ (byId("action-table")).value;
    const { signal } = this.#running;
    try {
      const tell = (/** @type {string} */ text) => this.#tell({ tone: "ok", lines: [text] });
      const outcome = await operation.run({
        table: operation.picksTable === true ? table : "",
        tell,
        signal,
      });
      this.#tell(outcome);
      // What has failed may be mended and tried again.
      byId("action-confirm").hidden = outcome.tone !== "bad";
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

  /** @param {import("./operations.js").Outcome} outcome */
  #tell({ tone, lines }) {
    const result = byId("action-result");
    result.hidden = false;
    result.dataset["tone"] = tone;
    result.replaceChildren(...lines.map((line) => el("p", {}, line)));
  }
}
