// @ts-check
/** A small box for questions in SQL, asked as a user who may only read. */

import { showAnswer } from "./answer.js";
import { ask, failureText, keepToken, RequestError } from "./api.js";
import { byId, el, setText } from "./dom.js";
import { QUESTIONS } from "./questions.js";

/** Wires the box. */
export class QueryBox {
  #sql = /** @type {HTMLTextAreaElement} */ (byId("sql"));
  #run = /** @type {HTMLButtonElement} */ (byId("sql-run"));
  #answer = byId("answer");
  #token = /** @type {HTMLInputElement} */ (byId("sql-token"));

  constructor() {
    const choice = /** @type {HTMLSelectElement} */ (byId("question"));
    choice.replaceChildren(
      ...QUESTIONS.map(({ name }, index) => el("option", { value: String(index) }, name)),
    );
    choice.addEventListener("change", () => {
      this.#sql.value = QUESTIONS[Number(choice.value)]?.sql ?? "";
    });
    this.#sql.value = QUESTIONS[0]?.sql ?? "";
    byId("sql-form").addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#ask();
    });
    this.#sql.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      void this.#ask();
    });
  }

  async #ask() {
    if (this.#run.disabled) return;
    const given = this.#token.value.trim();
    if (given !== "") keepToken(given);
    this.#token.value = "";
    this.#run.disabled = true;
    setText(this.#run, "Asking …");
    try {
      showAnswer(this.#answer, await ask("POST", "/api/query", { body: { sql: this.#sql.value } }));
      byId("sql-token-field").hidden = true;
    } catch (error) {
      this.#failed(error);
    } finally {
      this.#run.disabled = false;
      setText(this.#run, "Run");
    }
  }

  /** @param {unknown} error */
  #failed(error) {
    if (error instanceof RequestError && error.status === 401) {
      keepToken(undefined);
      byId("sql-token-field").hidden = false;
      this.#answer.replaceChildren(
        el("p", { class: "failure", role: "alert" }, "This service answers questions only with its token."),
      );
      this.#token.focus();
      return;
    }
    this.#answer.replaceChildren(el("p", { class: "failure", role: "alert" }, failureText(error)));
  }
}
