// @ts-check
/** What an operator must see in one glance: do rows land, is anything lost, what is to be done. */

import { bytesText, countText, durationText, latencyText, plural, rateText, shareText } from "./format.js";

/**
 * @typedef {import("./report.js").Report} Report
 * @typedef {"ok" | "idle" | "warn" | "bad"} Tone
 * @typedef {{ tone: Tone, text: string }} Note
 * @typedef {{ tone: Tone, title: string, detail: string, notes: Note[] }} Verdict
 */

/** A disk that fills sooner is to be looked after at once. */
const SOON_SECONDS = 3600;
/** Rows that wait longer, with ClickHouse there, are late. */
const LATE_SECONDS = 15;
/** Of many that are alike the table of tables tells each. */
const NOTES_MOST = 8;
const NAMES_MOST = 3;

/** @type {Readonly<Record<Tone, number>>} */
const RANK = { ok: 0, idle: 1, warn: 2, bad: 3 };

/**
 * @param {Report} report
 * @returns {Verdict}
 */
export function verdictOf(report) {
  const notes = notesOf(report).sort((one, other) => RANK[other.tone] - RANK[one.tone]);
  const { tone, title, detail } = headline(report);
  const worst = notes[0]?.tone ?? "ok";
  const more = notes.slice(NOTES_MOST);
  if (more.length > 0)
    notes.splice(NOTES_MOST, Infinity, { tone: more[0]?.tone ?? "idle", text: `and ${more.length} more` });
  return { tone: RANK[worst] > RANK[tone] ? worst : tone, title, detail, notes };
}

/**
 * @param {Report} report
 * @returns {Omit<Verdict, "notes">}
 */
function headline(report) {
  const { link, wal } = report;
  const waiting = pendingRows(report);
  if (wal?.refusing !== undefined) {
    return {
      tone: "bad",
      title: "Critical rows are refused",
      detail: `${refusalText(wal.refusing)} What the log has stays safe: ${plural(waiting, "row")} wait.`,
    };
  }
  if (link.state === "down") {
    const kept = wal === undefined ? "wait in memory" : "wait on disk and in memory, in order";
    return {
      tone: "bad",
      title: `Rows are not landing: ClickHouse has been away for ${durationText(link.seconds)}`,
      detail: `${plural(waiting, "row")} ${kept}, and are stored when it is back. Nothing has to be done here.`,
    };
  }
  if (link.state === "recovering") {
    return {
      tone: "warn",
      title: "ClickHouse is back, and what waited is being stored",
      detail: `${plural(waiting, "row")} are left.`,
    };
  }
  if (link.state === "degraded") {
    return {
      tone: "warn",
      title: "ClickHouse has trouble",
      detail: `${link.reason}. ${plural(waiting, "row")} wait; they are tried again.`,
    };
  }
  return landing(report, waiting);
}

/**
 * @param {Report} report
 * @param {number} waiting
 * @returns {Omit<Verdict, "notes">}
 */
function landing(report, waiting) {
  const tables = Object.values(report.tables);
  const paused = Object.entries(report.tables).filter(([, { paused }]) => paused !== undefined);
  if (paused.length > 0) {
    return {
      tone: "bad",
      title: `Rows of ${namesText(paused.map(([name]) => name))} are not landing`,
      detail: `ClickHouse refuses them. They wait, and are tried again each half minute; ${rateText(report.rates.stored)} rows/s of other tables are stored.`,
    };
  }
  const [stuck] = [...report.notLanding].sort((one, other) => other.seconds - one.seconds);
  if (stuck !== undefined) {
    const { table, rows, seconds } = stuck;
    return {
      tone: "bad",
      title: `Rows of ${namesText(report.notLanding.map((each) => each.table))} are not landing`,
      detail: `ClickHouse answers, yet ${plural(rows, "row")} of ${table} wait and none was stored for ${durationText(seconds)}.`,
    };
  }
  const offered = tables.reduce((sum, { offered }) => sum + offered, 0);
  const stored = tables.reduce((sum, { stored }) => sum + stored, 0);
  const perSecond = report.rates.stored;
  if (offered === 0 && stored === 0 && waiting === 0) {
    return {
      tone: "idle",
      title: "Ready, and no row has come yet",
      detail: "ClickHouse answers and every table takes rows. Send the first one as shown below.",
    };
  }
  const oldest = Math.max(0, ...tables.map(({ oldestSeconds }) => oldestSeconds ?? 0));
  if (waiting > 0 && oldest > LATE_SECONDS) {
    return {
      tone: "warn",
      title: "Rows are landing late",
      detail: `The oldest of ${plural(waiting, "row")} waits for ${durationText(oldest)}, though ClickHouse answers.`,
    };
  }
  if (perSecond === 0 && waiting === 0) {
    const last = Math.max(...tables.map(({ lastStoredAt }) => lastStoredAt ?? 0));
    const ago = last === 0 ? "" : ` The last one landed ${durationText(report.at - last)} ago.`;
    return {
      tone: "ok",
      title: "Quiet: all rows have landed",
      detail: `${countText(stored)} rows are stored since the start, none waits.${ago}`,
    };
  }
  const freshness = tables.map(({ freshnessSeconds }) => freshnessSeconds ?? 0);
  const flow =
    perSecond > 0 ? `${rateText(perSecond)} rows/s are stored` : `${plural(waiting, "row")} are on their way`;
  return {
    tone: "ok",
    title: tables.some(({ level }) => level.index > 0)
      ? "Rows are landing, thinned under load"
      : "Rows are landing",
    detail: `${flow}; the slowest table shows them after ${latencyText(Math.max(...freshness))}.`,
  };
}

/**
 * What holds beside the headline.
 * @param {Report} report
 * @returns {Note[]}
 */
function notesOf(report) {
  return [...tableNotes(report), ...diskNotes(report), ...conditionNotes(report), ...replayNotes(report)];
}

/**
 * @param {Report} report
 * @returns {Note[]}
 */
function tableNotes({ tables }) {
  return Object.entries(tables).flatMap(([name, table]) => {
    /** @type {Note[]} */
    const notes = [];
    if (table.paused !== undefined) {
      const { code, message } = table.paused;
      notes.push({ tone: "bad", text: `${name} is paused: ${code}: ${message}` });
    }
    if (!table.conservation.holds) {
      notes.push({ tone: "bad", text: `Rows of ${name} do not add up: please report it.` });
    }
    if (table.level.index > 0) {
      const { index, step } = table.level;
      const { value, cause } = table.pressure;
      const why = `pressure ${shareText(value)}, from ${cause}`;
      notes.push({ tone: "warn", text: `Overload: ${name} is at level ${index}, ${step} (${why}).` });
    }
    return notes;
  });
}

/**
 * @param {Report} report
 * @returns {Note[]}
 */
function diskNotes({ wal, spool = {} }) {
  /** @type {Note[]} */
  const notes = [];
  if (wal !== undefined && wal.state !== "ok") {
    const tone = wal.state === "nearly_full" || wal.state === "slow" ? "warn" : "bad";
    notes.push({ tone, text: `The log is ${words(wal.state)}: ${wal.reason}` });
  }
  if (wal?.secondsUntilFull !== undefined && wal.secondsUntilFull < SOON_SECONDS) {
    notes.push({
      tone: "warn",
      text: `The log is full in ${durationText(wal.secondsUntilFull)} at this rate.`,
    });
  }
  for (const [name, { state, reason, rows, bytes }] of Object.entries(spool)) {
    const isWell = state === "ok" || state === "unused";
    if (!isWell) notes.push({ tone: "warn", text: `The spool of ${name} is ${words(state)}: ${reason}` });
    else if (rows > 0) {
      notes.push({
        tone: "idle",
        text: `${plural(rows, "row")} of ${name} wait in the spool (${bytesText(bytes)}).`,
      });
    }
  }
  return notes;
}

/**
 * @param {Report} report
 * @returns {Note[]}
 */
function conditionNotes({ conditions }) {
  return conditions.map(({ message }) => ({ tone: "warn", text: message }));
}

/**
 * @param {Report} report
 * @returns {Note[]}
 */
function replayNotes({ replay }) {
  if (replay === undefined) return [];
  const { cause, rows, left, seconds } = replay;
  const since = cause === "start" ? "from before the start" : "from while ClickHouse was away";
  return [
    {
      tone: "warn",
      text: `Replay: ${countText(left)} of ${plural(rows, "row")} ${since} are left after ${durationText(seconds)}.`,
    },
  ];
}

/** @param {string} refusal */
function refusalText(refusal) {
  if (refusal === "wal_max") return "The log is as large as it may be (wal.max).";
  if (refusal === "wal_emergency_disk") return "The disk is fuller than it may be (wal.emergency_disk).";
  return `The log's disk is ${words(refusal.replace(/^wal_/, ""))}.`;
}

/**
 * Rows whose fate is not settled, wherever they wait.
 * @param {Report} report
 */
export function pendingRows({ tables }) {
  return Object.values(tables).reduce(
    (sum, { pending, inherited }) => sum + pending.rows + inherited.pending,
    0,
  );
}

/** @param {readonly string[]} names */
function namesText(names) {
  const more = names.length - NAMES_MOST;
  const told = names.slice(0, NAMES_MOST).join(", ");
  return more > 0 ? `${told} and ${plural(more, "more table")}` : told;
}

/** @param {string} name */
function words(name) {
  return name.replaceAll("_", " ");
}
