import type { MemoryStats } from "./buffer/class-budgets.js";
import type { ServerLife } from "./clickhouse/client.js";
import type { Condition } from "./health/events.js";
import type { LinkState } from "./sink/events.js";
import type { ReplayStats } from "./sink/replay-watch.js";
import type { Left } from "./sink/sink.js";
import type { SpoolStats } from "./spool/table-spool.js";
import type { TableStats } from "./table-writer.js";
import type { WalStats } from "./wal/wal.js";

export interface RecorderStats {
  readonly recorder: string;
  readonly run: string;
  readonly link: {
    readonly state: LinkState;
    /** What brought it into this state, and for how long it has been in it. */
    readonly reason: string;
    readonly seconds: number;
    /** Undefined if ClickHouse has not answered since the start. */
    readonly life: ServerLife | undefined;
    readonly probeError: string | undefined;
  };
  readonly memory: MemoryStats;
  readonly tables: Readonly<Record<string, TableStats>>;
  /** What an operator should look after now. */
  readonly conditions: readonly Condition[];
  /** Of the log, if there is one. */
  readonly wal?: WalStats;
  /** By table, of those that have a spool. */
  readonly spool?: Readonly<Record<string, SpoolStats>>;
  /** Of what waited in the log for ClickHouse, until its fate is known. */
  readonly replay?: ReplayStats;
}

/** Where each table stood at the end, and which rows were left behind: those that are still pending. */
export interface CloseReport {
  readonly tables: Readonly<Record<string, TableStats & LeftBehind>>;
}

/** Pending rows at the end of a recorder. */
export interface LeftBehind extends Left {
  /** In the log or the spool: the next start stores them, but for those that ClickHouse turns out to have. */
  readonly logged: number;
}
