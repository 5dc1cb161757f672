// @ts-check
/** What the drawing of a row's way says: rates of its edges, where rows wait, which part is not well. */

import { bytesText, durationText, plural, shortCountText } from "./format.js";

/**
 * @typedef {import("./report.js").Report} Report
 * @typedef {import("./verdict.js").Tone} Tone
 * @typedef {import("./pipeline-places.js").NodeName} NodeName
 * @typedef {import("./pipeline-places.js").EdgeName} EdgeName
 * @typedef {{ tone: Tone, first: string, second: string, share?: number | undefined }} NodeState
 * @typedef {{ tone: Tone, rate: number | undefined, label: string, total?: number }} EdgeState
 * @typedef {{ nodes: Record<NodeName, NodeState>, edges: Record<EdgeName, EdgeState> }} PipelineState
 */

/**
 * What the drawing says of a report.
 * @param {Report} report
 * @returns {PipelineState}
 */
export function pipelineOf(report) {
  const { rates, tables, wal, spool = {}, link, memory } = report;
  const total = rates;
  const all = Object.values(tables);
  const thinnedTables = all.filter(({ level }) => level.index > 0).length;
  const spools = Object.values(spool);
  const spoolBytes = sumOf(spools.map(({ bytes }) => bytes));
  const spoolRows = sumOf(spools.map(({ rows }) => rows));
  const logRows = wal === undefined ? 0 : sumOf(Object.values(wal.pending));
  const letters = sumOf(all.map(({ deadLettered, inherited }) => deadLettered + inherited.deadLettered));
  const dropped = sumOf(
    all.map(({ dropped, inherited }) => sumOf(Object.values(dropped)) + inherited.dropped),
  );
  const refused = sumOf(all.map(({ refused }) => sumOf(Object.values(refused))));
  const paused = all.filter((table) => table.paused !== undefined).length;
  const isReplaying = report.replay !== undefined;
  return {
    nodes: {
      producers: {
        tone: total.offered > 0 ? "ok" : "idle",
        first: "rings, HTTP, files",
        second: total.offered > 0 ? "sending" : "silent",
      },
      recorder:
        thinnedTables > 0
          ? { tone: "warn", first: plural(thinnedTables, "table"), second: "thinned by load" }
          : { tone: "ok", first: plural(all.length, "table"), second: "at normal level" },
      log: logState(wal, logRows),
      memory: {
        tone: memory.used > memory.max * 0.9 ? "warn" : "ok",
        first: `${bytesText(memory.used)} of ${bytesText(memory.max)}`,
        second: "",
        share: memory.max === 0 ? undefined : memory.used / memory.max,
      },
      spool: spoolState(spools, spoolBytes, spoolRows),
      clickhouse: clickhouseState(link, paused),
    },
    edges: {
      offered: { tone: "ok", rate: total.offered, label: "offered" },
      accepted: { tone: "ok", rate: total.accepted, label: "accepted" },
      stored: { tone: link.state === "down" ? "bad" : "ok", rate: total.stored, label: "stored" },
      logged: {
        tone: wal?.refusing === undefined ? "ok" : "bad",
        rate: wal === undefined ? undefined : total.logged,
        label: "logged",
      },
      replayed: {
        tone: "idle",
        rate: isReplaying ? total.stored : undefined,
        label: isReplaying ? "replay" : "",
      },
      spooled: {
        tone: "warn",
        rate: total.spooled > 0 ? total.spooled : undefined,
        label: total.spooled > 0 ? "spooled" : "",
      },
      unspooled: { tone: "idle", rate: undefined, label: "" },
      refused: {
        tone: total.refused > 0 ? "bad" : "idle",
        rate: total.refused,
        label: "refused",
        total: refused,
      },
      thinned: {
        tone: "idle",
        rate: total.deduplicated + total.sampled,
        label: "left out",
        total: sumOf(all.map(({ deduplicated, sampled }) => deduplicated + sampled)),
      },
      dropped: {
        tone: total.dropped > 0 ? "bad" : "idle",
        rate: total.dropped,
        label: "dropped",
        total: dropped,
      },
      letters: {
        tone: total.deadLettered > 0 ? "warn" : "idle",
        rate: total.deadLettered,
        label: "dead letters",
        total: letters,
      },
    },
  };
}

/**
 * @param {Report["wal"]} wal
 * @param {number} rows
 * @returns {NodeState}
 */
function logState(wal, rows) {
  if (wal === undefined) return { tone: "idle", first: "none", second: "" };
  if (wal.refusing !== undefined) return { tone: "bad", first: "refuses rows", second: bytesText(wal.bytes) };
  if (wal.state === "ok")
    return {
      tone: "ok",
      first: `${bytesText(wal.bytes)} on disk`,
      second: `${shortCountText(rows)} rows wait`,
    };
  const tone = wal.state === "nearly_full" || wal.state === "slow" ? "warn" : "bad";
  return { tone, first: wal.state.replaceAll("_", " "), second: bytesText(wal.bytes) };
}

/**
 * @param {NonNullable<Report["spool"]>[string][]} spools
 * @param {number} bytes
 * @param {number} rows
 * @returns {NodeState}
 */
function spoolState(spools, bytes, rows) {
  if (spools.length === 0) return { tone: "idle", first: "none", second: "" };
  const unwell = spools.find(({ state }) => state !== "ok" && state !== "unused");
  const second = rows === 0 ? "empty" : `${shortCountText(rows)} rows wait`;
  if (unwell !== undefined) return { tone: "warn", first: unwell.state.replaceAll("_", " "), second };
  return { tone: rows > 0 ? "warn" : "idle", first: `${bytesText(bytes)} on disk`, second };
}

/**
 * @param {Report["link"]} link
 * @param {number} paused
 * @returns {NodeState}
 */
function clickhouseState({ state, seconds }, paused) {
  if (state === "up" && paused > 0)
    return { tone: "bad", first: "refuses rows of", second: plural(paused, "table") };
  const first = { up: "up", degraded: "in trouble", down: "away", recovering: "recovering" }[state];
  /** @type {Tone} */
  const tone = state === "up" ? "ok" : state === "down" ? "bad" : "warn";
  return { tone, first, second: `for ${durationText(seconds)}` };
}

/** @param {readonly number[]} counts */
function sumOf(counts) {
  return counts.reduce((sum, count) => sum + count, 0);
}
