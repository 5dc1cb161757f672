/**
 * coldpath as a library: the recorder that the command line is built from. The interface for a trading process (rings, worker
 * threads) is not here yet; what is here runs on the caller's thread.
 */
export { ColdpathError, ERROR_CODES, type ErrorCode } from "./base/errors.js";
export { ClickHouse, type ClickHouseOptions } from "./clickhouse/client.js";
export { ClickHouseError, UnreachableError } from "./clickhouse/error.js";
export { type LoadedConfig, type LoadOptions, loadConfig } from "./config/load.js";
export type { Config } from "./config/schema.js";
export { type Row, ValueError } from "./native/block.js";
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
export { type OpenedClickHouse, openClickHouse, openRecorder } from "./service/open.js";
