import { durationText } from "../base/duration-text.js";
import type { RecorderEvent } from "../recorder.js";

type Kind = RecorderEvent["kind"];

/** What happened, as one line for a person. */
export function eventMessage(event: RecorderEvent): string {
  return (TEXT[event.kind] as (event: RecorderEvent) => string)(event);
}

const TEXT: { readonly [K in Kind]: (event: RecorderEvent & { readonly kind: K }) => string } = {
  link: ({ from, to, reason, endpoint }) => `ClickHouse at ${endpoint}: ${from} → ${to}: ${reason}`,
  started_away: ({ reason }) => `started although ClickHouse does not answer: ${reason}`,
  start_refused: ({ endpoint, message }) => `nothing is sent to ClickHouse at ${endpoint} yet: ${message}`,
  columns_unknown: ({ table, columns }) =>
    `${table} has columns that are not recorded before a restart: ${columns.join(", ")}`,
  tables_not_kept: ({ path, message }) => `the tables could not be written down in ${path}: ${message}`,
  endpoint: ({ from, to, reason }) => `${to} is used in place of ${from}: ${reason}`,
  clickhouse_restarted: ({ to }) => `ClickHouse at ${to.endpoint} was restarted`,
  retry: ({ table, message, waitMs }) =>
    `an INSERT into ${table} failed and is tried again in ${Math.round(waitMs)} ms: ${message}`,
  paused: ({ table, message }) => `${table} takes no more batches until this passes: ${message}`,
  resumed: ({ table }) => `${table} takes batches again`,
  replay: ({ pending, cause }) =>
    `${rowsIn(pending)} rows ${cause === "start" ? "from before the start" : "of the outage"} are being stored`,
  replaying: ({ pending, rowsPerSecond }) =>
    `${rowsIn(pending)} rows of the log are left, ${Math.round(rowsPerSecond)} rows a second are stored`,
  replayed: ({ rows, seconds }) => `${rows} rows of the log were stored in ${durationText(seconds)}`,
  incident: ({ name, table, partition, expected, found }) =>
    `${name} in ${table}, partition ${partition}: ${found} rows found of ${expected}`,
  request_dumped: ({ table, path }) => `a request for ${table} that ClickHouse calls wrong is in ${path}`,
  dump_failed: ({ table, message }) => `a refused request for ${table} could not be kept: ${message}`,
  dropped: ({ table, rows, reason }) => `${rows} rows of ${table} were dropped: ${reason}`,
  data_gap: ({ table, rows, reason }) => `${rows} rows of ${table} are missing, which is recorded: ${reason}`,
  full: ({ table, reason }) => `${table} is at its limit: ${reason}`,
  room: ({ table }) => `${table} has room again`,
  dead_lettered: ({ table, reason }) => `a row of ${table} was refused for good: ${reason}`,
  recorder_clash: ({ recorder, host, pid }) =>
    `another recorder named ${recorder} runs on ${host}, process ${pid}: give each a recorder.id of its own`,
  clash_unknown: ({ message }) => `it is not known whether another recorder has this name: ${message}`,
  dead_letter_damaged: ({ path, line }) => `line ${line} of ${path} is no dead letter`,
  rows_lost: ({ table, rows }) => `${rows} rows of ${table} were lost with the recorder's thread`,
  ring_damaged: ({ cells, message }) => `${cells} cells of a ring are damaged: ${message}`,
  overflow_failed: ({ path, message }) => `${path} could not be read: ${message}`,
  dead_letters_failed: ({ table, rows, message }) =>
    `${rows} refused rows of ${table} could not be kept: ${message}`,
  wal_state: ({ from, to, reason, refusing }) =>
    `log ${from} → ${to}: ${reason}${refusing === undefined ? "" : "; critical rows are refused"}`,
  wal_recovered: ({ segments, seconds }) =>
    `the log was opened in ${seconds.toFixed(1)} s: ${segments} segments`,
  wal_damage: ({ segment, offset, bytes, reason }) =>
    `${bytes} bytes of segment ${segment} of the log are damaged at ${offset}: ${reason}`,
  wal_rows_left: ({ table, rows }) =>
    `${rows} rows of ${table} stay in the log: this recorder has no such table`,
  wal_rows_missing: ({ table, rows }) => `${rows} rows of ${table} are not in the log any more`,
  wal_purged: ({ segments, bytes, rows }) =>
    `${segments} segments of the log, ${bytes} bytes, were purged${rows === 0 ? "" : `: ${rows} rows are lost`}`,
  wal_unreadable: ({ table, message }) => `rows of ${table} could not be read back: ${message}`,
  wal_cursor_failed: ({ message }) => `the log's cursor could not be saved: ${message}`,
  wal_rows_lost: ({ table, rows }) => `ClickHouse lost ${rows} rows of ${table}: they are stored again`,
  views_doubtful: ({ table, views, rows }) =>
    rows > 0
      ? `rows of ${table} that ClickHouse lost are stored again: ${views.join(", ")} may have some of them twice, and lack others: compute them anew`
      : `ClickHouse was restarted: if its host lost power, ${views.join(", ")} may lack rows of ${table}`,
  wal_rows_gone: ({ table, rows }) => `${rows} stored rows of ${table} are gone from ClickHouse`,
  wal_not_trimmed: ({ message }) => `the log could not be trimmed: ${message}`,
  spool_state: ({ table, from, to, reason }) => `spool of ${table} ${from} → ${to}: ${reason}`,
  spool_begun: ({ table }) => `rows of ${table} go to its spool`,
  spool_emptied: ({ table }) => `the spool of ${table} is empty`,
  spool_found: ({ table, rows }) => `${rows} rows of an earlier start are in the spool of ${table}`,
  spool_left: ({ folder }) => `a spool that no table uses stays in ${folder}`,
  spool_damage: ({ table, bytes, reason }) =>
    `${bytes} bytes of the spool of ${table} are damaged: ${reason}`,
  spool_unreadable: ({ table, message }) => `the spool of ${table} could not be read: ${message}`,
  spool_cursor_failed: ({ table, message }) =>
    `the cursor of the spool of ${table} was not saved: ${message}`,
  level: ({ table, from, to, step }) =>
    `${table} goes ${to > from ? "up" : "down"} from level ${from} to ${to}: ${step}`,
  conservation: ({ table, holds }) => `rows of ${table} ${holds ? "add up again" : "do not add up"}`,
  condition: ({ holds, message }) => (holds ? message : `no longer: ${message}`),
};

/** Every kind of event there is. */
export const EVENT_KINDS = Object.keys(TEXT) as readonly Kind[];

function rowsIn(pending: Readonly<Record<string, number>>): number {
  return Object.values(pending).reduce((sum, rows) => sum + rows, 0);
}
