import type { Clock } from "./base/clock.js";
import type { ClickHouse } from "./clickhouse/client.js";
import type { ConditionLimits } from "./health/conditions.js";
import type { ConditionEvent, ConservationEvent } from "./health/events.js";
import type { LevelEvent } from "./overload/events.js";
import type { LadderStep } from "./overload/ladder.js";
import type { RingSign } from "./overload/pressure.js";
import type { AssumedTable } from "./schemas/assumed-table.js";
import type { Compression } from "./sink/compression.js";
import type { RecorderEvent as SinkEvent } from "./sink/events.js";
import type { SpoolEvent } from "./spool/events.js";
import type { SpoolOptions } from "./spool/spool.js";
import type { TableChange, TablePolicy } from "./table-writer.js";
import type { WalEvent } from "./wal/events.js";
import type { WalOptions } from "./wal/wal.js";

/** What the recorder reports of itself as it happens; each is worth one log line. */
export type RecorderEvent =
  | SinkEvent
  | WalEvent
  | SpoolEvent
  | LevelEvent
  | ConservationEvent
  | ConditionEvent;

/** Takes each event as it happens; must not throw. */
export type Report = (event: RecorderEvent) => void;

/** What is to be known of the rings that rows come from. */
export interface Rings {
  /** How full they are. */
  sign(): RingSign;
  /** Rows of a table that found no room in them so far. */
  refusedOf(table: string): number;
}

/** How one table is treated. */
export interface TableOptions {
  /** critical: never dropped, refused when full; best_effort: its oldest unsent batch makes room. */
  readonly class: "critical" | "best_effort";
  /**
   * wal: a row is in the log before the sink gets it; spool: it is in memory, and on disk while ClickHouse is away; memory, the default: it is
   * nowhere else.
   */
  readonly durability?: "wal" | "spool" | "memory";
  /** Bytes that its spool may take; any number by default. */
  readonly spool?: { readonly max: number };
  /** A batch is offered to the sink when one of these is reached: rows, encoded bytes, milliseconds. */
  readonly flush: { readonly rows: number; readonly bytes: number; readonly age: number };
  /** Rows open, waiting or being sent, before the table is full. With a log: rows that wait in memory, more wait in the log alone. */
  readonly queue: {
    readonly rows: number;
    /** Milliseconds after which a row that is not stored counts as late altogether. Default a minute. */
    readonly age?: number;
  };
  /** How rows are thinned out; without it none is left out. */
  readonly policy?: TablePolicy;
  /** What a best-effort table does under load, gentlest first. Without steps its oldest batch is dropped when it is full. */
  readonly degrade?: readonly LadderStep[];
}

/** Tables as they are known while ClickHouse is away, and whether that was ever otherwise. */
export interface AwayTables {
  readonly tables: readonly AssumedTable[];
  readonly seen: boolean;
}

/** What of a running recorder can be other from now on. */
export interface RecorderChange {
  readonly tables: Readonly<Record<string, TableChange>>;
  /** For a recorder that has conditions. */
  readonly conditions?: ConditionLimits;
}

export interface RecorderOptions {
  /** Name of this recorder, unique among recorders. */
  readonly recorder: string;
  /** Environment written into every row. */
  readonly env: string;
  readonly clickhouse: ClickHouse;
  readonly compression: Compression;
  /** Rows of critical tables count as stored once a majority of the replicas has them. Default false. */
  readonly quorum?: boolean;
  readonly tables: Readonly<Record<string, TableOptions>>;
  /** Bytes of encoded rows held for all tables together. */
  readonly memory: {
    readonly max: number;
    /** Share of it that only critical tables may take. Default none. */
    readonly critical_reserve?: number;
  };
  /** Event times taken, in milliseconds before and after now by this host's clock. */
  readonly accept: { readonly past: number; readonly future: number };
  /**
   * By table, columns that it has not any more and that rows in the log still hold: they are sent without these, and what they hold is kept in
   * the dead letters first.
   */
  readonly leaveOut?: Readonly<Record<string, readonly string[]>>;
  /** The log. Without it no table has one, whatever its options say. */
  readonly wal?: WalOptions;
  /** The spool. Without it no table has one, whatever its options say. */
  readonly spool?: SpoolOptions;
  /** From when on tables are told of that drop rows, are thinned out for long or have a spool nearly full. Without it none is. */
  readonly conditions?: ConditionLimits;
  /** Throws if the user may not do what the recorder needs, and if the tables are not as they should be: asked before rows are sent. */
  readonly checks?: { readonly rights: () => Promise<void>; readonly schema: () => Promise<void> };
  /**
   * With it, and with a log or a spool, the recorder opens though ClickHouse does not answer. Gives the tables that rows are cut for until then; all
   * that a start asks is asked before anything is sent. Without it that is an error.
   */
  readonly away?: () => Promise<AwayTables>;
  /** Folder of the rows that were refused; made if absent. */
  readonly deadLettersDir: string;
  /** Written into `recorder_runs`. */
  readonly version?: string;
  readonly configHash?: string;
  /** INSERTs under way at once, over all tables. Default 2. */
  readonly inFlight?: number;
  /** Milliseconds for one INSERT: connect, send, answer read. Default 30 s. */
  readonly deadlineMs?: number;
  /** Told of everything worth a log line, as it happens. Should it throw, that becomes a warning of the process. */
  readonly report?: Report;
  /** For tests: time, and numbers in [0, 1). */
  readonly clock?: Clock;
  readonly random?: () => number;
}
