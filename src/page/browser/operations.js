// @ts-check
/** What an operator with the token can do. */

import { ask, failureText, RequestError } from "./api.js";
import { countText, latencyText, plural } from "./format.js";
import { pendingRows } from "./verdict.js";

/**
 * @typedef {import("./report.js").Report} Report
 * @typedef {{ tone: "ok" | "warn" | "bad", lines: string[] }} Outcome
 * @typedef {{ table: string, tell: (text: string) => void, signal: AbortSignal }} Doing
 * @typedef {{
 *   title: string, confirm: string, doing: string, explain: string, picksTable?: boolean,
 *   now: (report: Report | undefined) => string | Promise<string>,
 *   run: (doing: Doing) => Promise<Outcome>,
 * }} Operation
 */

const POLL_MS = 500;
const REASONS_TOLD = 5;

/** @type {Readonly<Record<string, Operation>>} */
export const OPERATIONS = {
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
    now: lettersNow,
    run: retryLetters,
  },
  reload: {
    title: "Reload the configuration",
    confirm: "Reload now",
    doing: "Reloading …",
    explain:
      "Reads the configuration file again. What can change at work (flush limits, policies, ladders, conditions, the log's level) holds at once; the rest is named and waits for a restart. A file with mistakes changes nothing.",
    now: () => "",
    run: reload,
  },
};

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
    /** @type {{ table: string, stored: number, found: number, left: number, errors: { reason: string }[] }[]} */ (
      tables
    );
  if (retried.length === 0) return { tone: "ok", lines: ["There are no dead letters."] };
  const left = sumOf(retried.map((each) => each.left));
  const lines = retried.map(
    (each) =>
      `${each.table}: ${countText(each.stored)} stored now, ${countText(each.found)} found stored, ${countText(each.left)} left`,
  );
  const reasons = new Set(retried.flatMap(({ errors }) => errors.map(({ reason }) => reason)));
  return { tone: left === 0 ? "ok" : "warn", lines: [...lines, ...[...reasons].slice(0, REASONS_TOLD)] };
}

/** How many there are, by table and reason. */
async function lettersNow() {
  try {
    const { groups } = await ask("GET", "/api/dead-letters");
    const counted = /** @type {{ table: string, reason: string, letters: number }[]} */ (groups);
    if (counted.length === 0) return "There are none now.";
    const told = counted
      .slice(0, REASONS_TOLD)
      .map(({ table, reason, letters }) => `${table}: ${countText(letters)} × ${reason}`);
    const more = counted.length - told.length;
    return [...told, ...(more > 0 ? [`and ${more} more reasons`] : [])].join("\n");
  } catch (error) {
    return failureText(error);
  }
}

/**
 * @param {Doing} doing
 * @returns {Promise<Outcome>}
 */
async function reload({ signal }) {
  try {
    const { applied, needsRestart } = await ask("POST", "/api/reload", { signal });
    const changed = /** @type {Change[]} */ (applied);
    const waiting = /** @type {Change[]} */ (needsRestart);
    if (changed.length + waiting.length === 0)
      return { tone: "ok", lines: ["Done: the configuration is as it was."] };
    return {
      tone: waiting.length === 0 ? "ok" : "warn",
      lines: [
        ...changed.map((change) => `${changeText(change)}: holds now`),
        ...waiting.map((change) => `${changeText(change)}: after a restart, ${change.reason}`),
      ],
    };
  } catch (error) {
    if (!(error instanceof RequestError && error.status === 422)) throw error;
    const issues = /** @type {{ path: string, message: string }[]} */ (error.json.issues);
    const lines = issues.map(({ path, message }) => `${path === "" ? "" : `${path}: `}${message}`);
    return { tone: "bad", lines: ["Nothing has changed: the configuration has mistakes.", ...lines] };
  }
}

/** @typedef {{ path: string, from: string | null, to: string | null, reason?: string }} Change */

/** @param {Change} change */
function changeText({ path, from, to }) {
  return `${path} ${from ?? "none"} → ${to ?? "none"}`;
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
