import type { ServerLife } from "../clickhouse/client.js";
import type { AnswerClass } from "./answers.js";

/** Why rows wait in the log: an earlier start left them, or ClickHouse was away. */
export type ReplayCause = "start" | "outage";

export type LinkState = "up" | "degraded" | "down" | "recovering";

/** What the recorder reports of itself as it happens; each is worth one log line. */
export type RecorderEvent =
  | {
      readonly kind: "link";
      readonly from: LinkState;
      readonly to: LinkState;
      readonly reason: string;
      /** The address in use. */
      readonly endpoint: string;
      /** For how long it was as it was before. */
      readonly seconds: number;
    }
  /**
   * The recorder started though ClickHouse does not answer: rows of critical tables are in the log until it does, others wait in memory. What
   * a start asks is asked then, before anything is sent. `seen`: whether it ever answered a recorder with this `data_dir`.
   */
  | { readonly kind: "started_away"; readonly reason: string; readonly seen: boolean }
  /** ClickHouse answers a recorder that started without it, and is not as it must be for a start. Nothing is sent until it is. */
  | { readonly kind: "start_refused"; readonly endpoint: string; readonly message: string }
  /** The live table has columns that the recorder, which started without ClickHouse, does not record before it is started again. */
  | { readonly kind: "columns_unknown"; readonly table: string; readonly columns: readonly string[] }
  /** How the tables are could not be written down for a start while ClickHouse is away. */
  | { readonly kind: "tables_not_kept"; readonly path: string; readonly message: string }
  /** Another endpoint of the replica set is used from now on. */
  | { readonly kind: "endpoint"; readonly from: string; readonly to: string; readonly reason: string }
  | { readonly kind: "clickhouse_restarted"; readonly from: ServerLife; readonly to: ServerLife }
  /** An INSERT failed and will be tried again. */
  | {
      readonly kind: "retry";
      readonly table: string;
      readonly batch: string;
      readonly class: AnswerClass;
      readonly code: string;
      readonly message: string;
      readonly waitMs: number;
    }
  /** The table takes no more batches until this one passes; it is tried again slowly. */
  | {
      readonly kind: "paused";
      readonly table: string;
      readonly class: AnswerClass | IncidentName;
      readonly code: string;
      readonly message: string;
    }
  | { readonly kind: "resumed"; readonly table: string }
  /** Rows wait in the log, by table, and ClickHouse is there: they are being stored. */
  | {
      readonly kind: "replay";
      readonly cause: ReplayCause;
      readonly pending: Readonly<Record<string, number>>;
    }
  /** How many of them are left, and how fast they were since the last word about it. */
  | {
      readonly kind: "replaying";
      readonly pending: Readonly<Record<string, number>>;
      readonly rowsPerSecond: number;
      readonly paused: readonly string[];
    }
  /** The fate of all of them is known. */
  | {
      readonly kind: "replayed";
      readonly cause: ReplayCause;
      readonly rows: number;
      readonly seconds: number;
    }
  | {
      readonly kind: "incident";
      readonly name: IncidentName;
      readonly table: string;
      readonly partition: string;
      readonly firstSeq: string;
      readonly lastSeq: string;
      readonly expected: number;
      readonly found: number;
    }
  /** A copy of a request that ClickHouse calls wrong was written to disk. */
  | { readonly kind: "request_dumped"; readonly table: string; readonly batch: string; readonly path: string }
  | { readonly kind: "dump_failed"; readonly table: string; readonly batch: string; readonly message: string }
  | { readonly kind: "dropped"; readonly table: string; readonly reason: string; readonly rows: number }
  /** Rows are missing, which a row of `system_events` tells more about: at most one for each table, reason and level in ten seconds. */
  | {
      readonly kind: "data_gap";
      readonly table: string;
      readonly reason: string;
      /** Of the table's ladder; 0 is normal. */
      readonly level: number;
      readonly rows: number;
      /** How many symbols or other series miss rows, as far as that is known. */
      readonly series: number;
    }
  /** The table's queue or the common memory is at its limit, or no longer. */
  | { readonly kind: "full" | "room"; readonly table: string; readonly reason: string }
  | {
      readonly kind: "dead_lettered";
      readonly table: string;
      readonly seq: string;
      readonly code: string;
      readonly reason: string;
    }
  /**
   * Another recorder with the same name began after this one and seems to run still, so readers take two sources for one: give each a
   * `recorder.id` of its own. No rows are lost or doubled.
   */
  | {
      readonly kind: "recorder_clash";
      readonly recorder: string;
      readonly run: string;
      readonly host: string;
      readonly pid: number;
      /** ISO-8601. */
      readonly started: string;
      /** Whether it has a copy of our log: rows that wait in both may be stored twice, told as `stored_twice`. */
      readonly hasCopy: boolean;
    }
  /** It could not be asked whether there is such a recorder; it is asked again. */
  | { readonly kind: "clash_unknown"; readonly message: string }
  /** A line of a dead-letter file is no letter. */
  | { readonly kind: "dead_letter_damaged"; readonly path: string; readonly line: number }
  /** The pipeline's thread died with rows in memory. */
  | { readonly kind: "rows_lost"; readonly table: string; readonly rows: number }
  /** A ring held bytes that no producer wrote: what was in so many of its cells is lost. */
  | { readonly kind: "ring_damaged"; readonly cells: number; readonly message: string }
  /** A file of rows that found their ring full could not be read to its end; it is tried again later. */
  | { readonly kind: "overflow_failed"; readonly path: string; readonly message: string }
  /** Refused rows could not be written to disk. */
  | {
      readonly kind: "dead_letters_failed";
      readonly table: string;
      readonly rows: number;
      readonly message: string;
    };

/**
 * - `partly_stored`: ClickHouse has some rows of a batch and not the others, which one block cannot cause.
 * - `stored_twice`: a row was found more than once.
 * - `view_incomplete`: the rows are stored, but a materialized view never got them.
 */
export type IncidentName = "partly_stored" | "stored_twice" | "view_incomplete";

/** Takes each event as it happens; must not throw. */
export type Report = (event: RecorderEvent) => void;
