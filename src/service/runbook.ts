import type { RecorderEvent } from "../recorder.js";

/** Where an operator reads what to do, from the root of the repository and of the package's documentation. */
const FOLDER = "docs/runbooks";

const PAGES: Readonly<Partial<Record<RecorderEvent["kind"], string>>> = {
  link: "clickhouse-unreachable",
  started_away: "clickhouse-unreachable",
  start_refused: "schema-drift",
  columns_unknown: "schema-drift",
  retry: "insert-errors",
  paused: "table-paused",
  incident: "incident",
  request_dumped: "insert-errors",
  level: "level-held",
  dropped: "rows-dropped",
  full: "rows-dropped",
  dead_lettered: "dead-letters",
  dead_letters_failed: "dead-letters",
  dead_letter_damaged: "dead-letters",
  recorder_clash: "recorder-clash",
  rows_lost: "worker-restarts",
  wal_state: "wal-troubled",
  wal_damage: "wal-quarantined",
  wal_rows_missing: "rows-missing",
  wal_unreadable: "wal-oldest-pending",
  wal_rows_lost: "rows-missing",
  spool_state: "spool-nearly-full",
  conservation: "conservation-violated",
};

const OF_CONDITION = {
  drop_rate: "rows-dropped",
  level_held: "level-held",
  spool_nearly_full: "spool-nearly-full",
} as const;

/** The page that says what to do about an event, if it asks for that. */
export function runbookFor(event: RecorderEvent): string | undefined {
  if (event.kind === "link" && event.to !== "down") return undefined;
  if (event.kind === "condition") return event.holds ? pathOf(OF_CONDITION[event.name]) : undefined;
  if (event.kind === "conservation" && event.holds) return undefined;
  if ((event.kind === "wal_state" || event.kind === "spool_state") && event.to === "ok") return undefined;
  const page = PAGES[event.kind];
  return page === undefined ? undefined : pathOf(page);
}

/** The page for events of a kind, whatever they tell; without folder and ending. */
export function runbookOfKind(kind: RecorderEvent["kind"]): string | undefined {
  return PAGES[kind];
}

function pathOf(page: string): string {
  return `${FOLDER}/${page}.md`;
}
