import type { Clock } from "../base/clock.js";
import type { SeqSpan } from "../buffer/batch.js";
import type { FlushLimits } from "../buffer/batch-limits.js";
import type { EventWindow } from "../buffer/event-window.js";
import type { MemoryBudget } from "../buffer/memory-budget.js";
import type { Identity } from "../buffer/stamp.js";
import type { Table } from "../schemas/table.js";
import type { Inherited } from "./backlog.js";
import type { Commits } from "./commits.js";
import type { GivenUp } from "./given-up.js";
import type { LogReader } from "./log-reader.js";
import type { RowFates } from "./row-fates.js";
import type { SealedBatches } from "./sealed-batches.js";
import type { WaitingBytes } from "./waiting-bytes.js";

/** What a table with a log is made of. */
export interface LoggedBufferOptions {
  readonly table: Table;
  readonly identity: Identity;
  readonly flush: FlushLimits;
  /** Rows that may wait in memory; more wait in the log alone. */
  readonly queueRows: number;
  readonly window: EventWindow;
  readonly budget: MemoryBudget;
  readonly clock: Clock;
  readonly commits: Commits;
  readonly fates: RowFates;
  readonly reader: Pick<LogReader, "next">;
  /** Bytes that are not on disk yet, of all tables. */
  readonly waiting: WaitingBytes;
  /** Why the log takes no rows now, if so; `isFull` says that as many wait for the disk as may. */
  readonly refusing: (isFull: boolean) => string | undefined;
  readonly sealed: SealedBatches;
  /** What earlier starts left in the log. */
  readonly inherited: Inherited;
  /** Called each time a batch becomes due. */
  readonly onDue: () => void;
  /** Rows are on disk: others may be taken. */
  readonly onSynced: () => void;
  /** The log could not be read; it is tried again. */
  readonly onUnreadable: (message: string) => void;
  /** The log was read to its end without these rows, though it took them: they were damaged or removed there. */
  readonly onMissing: (rows: SeqSpan & { readonly run: bigint }) => void;
  /** Rows were given up by {@link LoggedBuffer.giveUp}. */
  readonly onGivenUp: (rows: GivenUp) => void;
}
