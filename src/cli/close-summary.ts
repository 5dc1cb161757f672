import { tableText } from "../base/table-text.js";
import type { CloseReport } from "../recorder.js";

const HEADINGS = [
  "table",
  "offered",
  "stored",
  "refused",
  "dropped",
  "dead letters",
  "in the log",
  "not stored",
];

/** Where the rows of every table ended; what was offered is the sum of the other numbers. */
export function closeSummary(report: CloseReport): string {
  const tables = Object.entries(report.tables).filter(([, { offered }]) => offered > 0);
  const rows = tables.map(([name, { offered, stored, refused, dropped, deadLettered, pending, logged }]) => [
    name,
    ...[offered, stored, sum(refused), sum(dropped), deadLettered, logged, pending.rows - logged].map(String),
  ]);
  return tableText(HEADINGS, rows);
}

/** Rows that are in the log: the next start stores them. */
export function rowsLogged(report: CloseReport): number {
  return Object.values(report.tables).reduce((rows, { logged }) => rows + logged, 0);
}

/** Rows that were taken, are not known to be stored, and are gone with the process. */
export function rowsLeft(report: CloseReport): number {
  return Object.values(report.tables).reduce(
    (rows, { unsent, unconfirmed }) => rows + unsent + unconfirmed,
    0,
  );
}

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, rows) => total + rows, 0);
}
