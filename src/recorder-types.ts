// What others see of the parts of a recorder.
export type { Origin } from "./buffer/origin.js";
export type { KeyedAnswer, RowGroup } from "./buffer/row-group.js";
export type { Ticket } from "./buffer/ticket.js";
export type { Gap } from "./gaps/gap.js";
export type {
  AwayTables,
  RecorderChange,
  RecorderEvent,
  RecorderOptions,
  Report,
  TableOptions,
} from "./recorder-options.js";
export type { CloseReport, RecorderStats } from "./recorder-stats.js";
export type { Replay, ReplayProgress } from "./sink/replay.js";
export type { SpoolState } from "./spool/events.js";
export type { SpoolOptions } from "./spool/spool.js";
export type { TablePolicy, TableStats, TableWriter } from "./table-writer.js";
export type { Ledger } from "./wal/ledger.js";
export type { RingPosition } from "./wal/records.js";
export type { RowSource, SourceCut } from "./wal/row-source.js";
export type { WalOptions } from "./wal/wal.js";
