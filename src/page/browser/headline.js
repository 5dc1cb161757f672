// @ts-check
/** The top of the page: the verdict in words, the figures that matter at night, and how long the disk lasts. */

import { byId, el, setAttribute, setText } from "./dom.js";
import { bytesText, countText, durationText, latencyText, NOTHING, rateText } from "./format.js";
import { pendingRows, verdictOf } from "./verdict.js";

/**
 * @typedef {import("./report.js").Report} Report
 * @typedef {import("./verdict.js").Verdict} Verdict
 * @typedef {import("./stream.js").Connection} Connection
 */

const SIGNS = { ok: "✓", idle: "○", warn: "▲", bad: "■" };
const FAVICON_COLOURS = { ok: "%231a7f5a", idle: "%235f6b76", warn: "%23b26a00", bad: "%23c2352b" };

/** Says what a report comes to. */
export class Headline {
  #told = "";

  /** @param {Report} report */
  show(report) {
    const verdict = verdictOf(report);
    this.#verdict(verdict);
    this.#notes(verdict);
    const total = report.rates;
    const tables = Object.values(report.tables);
    setText(byId("figure-stored"), rateText(total.stored));
    setText(byId("figure-offered"), `${rateText(total.offered)} offered`);
    const freshness = tables.flatMap(({ freshnessSeconds }) => freshnessSeconds ?? []);
    setText(byId("figure-fresh"), freshness.length === 0 ? NOTHING : latencyText(Math.max(...freshness)));
    const waiting = pendingRows(report);
    setText(byId("figure-waiting"), countText(waiting));
    const { oldestPendingSeconds } = report.wal ?? {};
    setText(
      byId("figure-oldest"),
      oldestPendingSeconds === undefined ? "none in the log" : `oldest ${durationText(oldestPendingSeconds)}`,
    );
    this.#clock(report);
    setText(byId("recorder"), report.recorder);
    setText(
      byId("service"),
      `coldpath ${report.service.version} · up ${durationText(report.service.uptimeSeconds)}`,
    );
    const isFirst = tables.every(({ offered }) => offered === 0) && waiting === 0;
    byId("first-row").hidden = !isFirst;
    document.title = `${SIGNS[verdict.tone]} ${report.recorder} · ${verdict.tone === "ok" ? `${rateText(total.stored)} rows/s` : verdict.title}`;
  }

  /**
   * Nothing is known of the service now; what is shown is how it was.
   * @param {Connection} connection
   * @param {boolean} hasReport
   */
  connection(connection, hasReport) {
    setAttribute(document.body, "data-connection", connection.kind);
    if (connection.kind === "lost") {
      const needsToken = connection.status === 401;
      document.title = needsToken ? "○ coldpath · needs its token" : "✕ coldpath · no answer";
      setAttribute(byId("icon"), "href", icon(FAVICON_COLOURS[needsToken ? "idle" : "bad"]));
      // Spoken once; and the verdict again when it is known again.
      this.#told = "";
      setText(
        byId("spoken"),
        needsToken ? "The service asks for its token." : "The service does not answer.",
      );
      return;
    }
    if (connection.kind === "connecting" && !hasReport) setAttribute(byId("verdict"), "data-tone", "idle");
  }

  /** @param {Verdict} verdict */
  #verdict({ tone, title, detail }) {
    setAttribute(document.body, "data-tone", tone);
    setAttribute(byId("verdict"), "data-tone", tone);
    setText(byId("verdict-sign"), SIGNS[tone]);
    setText(byId("verdict-title"), title);
    setText(byId("verdict-detail"), detail);
    setAttribute(byId("icon"), "href", icon(FAVICON_COLOURS[tone]));
    // Spoken when it changes in kind, not with each figure in it.
    const spoken = title.replace(/[\d.,]+ ?(s|min|h|d)\b/g, "").trim();
    if (spoken === this.#told) return;
    this.#told = spoken;
    setText(byId("spoken"), `${title}. ${detail}`);
  }

  /** @param {Verdict} verdict */
  #notes({ notes }) {
    const list = byId("notes");
    const texts = notes.map(({ tone, text }) => `${tone} ${text}`).join("\n");
    if (list.dataset["shown"] === texts) return;
    list.dataset["shown"] = texts;
    list.hidden = notes.length === 0;
    list.replaceChildren(
      ...notes.map(({ tone, text }) =>
        el(
          "li",
          { class: tone },
          el("span", { class: "note-sign", "aria-hidden": "true" }, SIGNS[tone]),
          el("span", {}, text),
        ),
      ),
    );
  }

  /** @param {Report} report */
  #clock({ wal, link, spool = {} }) {
    const clock = byId("clock");
    if (wal === undefined) {
      setText(byId("clock-lasts"), "no log");
      setText(byId("clock-detail"), "no table has durability: wal");
      return;
    }
    const { bytes, freeBytes, secondsUntilFull, refusing } = wal;
    const isAway = link.state === "down";
    setAttribute(clock, "data-tone", refusing !== undefined ? "bad" : isAway ? "warn" : "ok");
    if (refusing !== undefined) setText(byId("clock-lasts"), "full");
    else
      setText(
        byId("clock-lasts"),
        secondsUntilFull === undefined ? "not filling" : durationText(secondsUntilFull),
      );
    const rate =
      secondsUntilFull === undefined ? "neither log nor disk fills" : "at the rate of the last minute";
    setText(byId("clock-rate"), refusing === undefined ? rate : "no critical row is taken");
    const spoolBytes = Object.values(spool).reduce((sum, each) => sum + each.bytes, 0);
    setText(
      byId("clock-detail"),
      `log ${bytesText(bytes)}, spool ${bytesText(spoolBytes)}, disk ${bytesText(freeBytes)} free`,
    );
  }
}

/** @param {string} colour */
function icon(colour) {
  return `data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'><rect width='16' height='16' rx='4' fill='${colour}'/><path d='M3 8h7M7.5 4.5L11 8l-3.5 3.5' fill='none' stroke='white' stroke-width='1.8'/></svg>`;
}
