import type { EventLevel } from "../live/recent-events.js";
import type { RecorderEvent, SpoolState } from "../recorder.js";

/** Of events that are always worth the same. */
const LEVELS: Readonly<
  Record<
    Exclude<
      RecorderEvent["kind"],
      "link" | "wal_state" | "spool_state" | "conservation" | "condition" | "views_doubtful"
    >,
    EventLevel
  >
> = {
  started_away: "error",
  start_refused: "error",
  columns_unknown: "warn",
  tables_not_kept: "warn",
  endpoint: "warn",
  clickhouse_restarted: "warn",
  retry: "warn",
  paused: "error",
  resumed: "info",
  replay: "info",
  replaying: "info",
  replayed: "info",
  incident: "error",
  request_dumped: "warn",
  dump_failed: "error",
  level: "warn",
  dropped: "warn",
  data_gap: "info",
  full: "warn",
  room: "info",
  dead_lettered: "warn",
  recorder_clash: "error",
  clash_unknown: "warn",
  dead_letter_damaged: "error",
  rows_lost: "error",
  ring_damaged: "error",
  overflow_failed: "error",
  dead_letters_failed: "error",
  wal_recovered: "info",
  wal_damage: "error",
  wal_rows_left: "warn",
  wal_purged: "warn",
  wal_unreadable: "error",
  wal_cursor_failed: "warn",
  wal_rows_lost: "error",
  wal_rows_gone: "warn",
  wal_not_trimmed: "warn",
  spool_begun: "warn",
  spool_emptied: "info",
  spool_found: "info",
  spool_left: "warn",
  spool_damage: "error",
  spool_unreadable: "error",
  spool_cursor_failed: "warn",
  wal_rows_missing: "error",
};

/** At which level all events of a kind are logged; undefined where it depends on what they tell. */
export function levelOf(kind: RecorderEvent["kind"]): EventLevel | undefined {
  return (LEVELS as Readonly<Partial<Record<RecorderEvent["kind"], EventLevel>>>)[kind];
}

/** At which level an event is logged, so that `log.level: warn` keeps what an operator must see of an outage. */
export function eventLevel(event: RecorderEvent): EventLevel {
  if (event.kind === "link") return LINK[event.to];
  if (event.kind === "condition") return event.holds ? "warn" : "info";
  if (event.kind === "conservation") return event.holds ? "info" : "error";
  if (event.kind === "views_doubtful") return event.rows > 0 ? "error" : "info";
  if (event.kind === "spool_state") return SPOOL[event.to] ?? "error";
  if (event.kind !== "wal_state") return LEVELS[event.kind];
  if (event.refusing !== undefined) return "error";
  if (event.to === "ok") return "info";
  return event.to === "nearly_full" || event.to === "slow" ? "warn" : "error";
}

/** In all other states it takes no rows. */
const SPOOL: Readonly<Partial<Record<SpoolState, EventLevel>>> = {
  ok: "info",
  unused: "info",
  slow: "warn",
  nearly_full: "warn",
};

const LINK = { up: "info", recovering: "info", degraded: "warn", down: "error" } as const;
