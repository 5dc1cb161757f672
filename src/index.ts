/**
 * coldpath as a library. `createRecorder` is for a process that trades: rows leave its threads through rings and are
 * landed by a worker. `Recorder` is the pipeline behind it, on the caller's thread.
 */
export { ColdpathError, ERROR_CODES, type ErrorCode } from "./base/errors.js";
export { ClickHouse, type ClickHouseOptions } from "./clickhouse/client.js";
export { ClickHouseError, UnreachableError } from "./clickhouse/error.js";
export { type LoadedConfig, type LoadOptions, loadConfig } from "./config/load.js";
export type { Config, ConfigInput } from "./config/schema.js";
export type {
  ExecType,
  LastSide,
  Level,
  Liquidity,
  Severity,
  Side,
} from "./intake/normalise/spellings.js";
export type { MetricsRegistry } from "./metrics/register.js";
export { type Row, ValueError } from "./native/block.js";
export { type InstantNumber, ms, us } from "./native/instant-number.js";
export { NumberText } from "./native/number-text.js";
export {
  type CloseReport,
  type Origin,
  Recorder,
  type RecorderEvent,
  type RecorderOptions,
  type RecorderStats,
  type TableStats,
  type TableWriter,
  type Ticket,
} from "./recorder.js";
export type * from "./schemas/tables.generated.js";
export {
  type CreateRecorderOptions,
  createRecorder,
  type RecordingClient,
} from "./sdk/create-recorder.js";
export type { EventOf, EventRecorder, EventType, RecordedEvent } from "./sdk/events.js";
export {
  attachProducer,
  type Producer,
  type ProducerHandle,
} from "./sdk/producer.js";
export type { RecordingStats } from "./sdk/recording-stats.js";
export type { RowOf } from "./sdk/rows.js";
export type { RecordingTable } from "./sdk/tables.js";
export { type OpenedClickHouse, openClickHouse } from "./service/open.js";
export { openRecorder } from "./service/open-recorder.js";
