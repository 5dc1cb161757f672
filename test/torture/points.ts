/** Where the command dies that tries dead letters again. */
export const RETRY_POINT = "dead_letter.retry";

/** Points that a recorder comes by seldom: it dies at the first time, and lives longer. */
export const RARE_POINTS: ReadonlySet<string> = new Set([
  "wal.rotate",
  "wal.before_unlink",
  "wal.unlink_before_folder_sync",
  "wal.carry",
  "sink.before_split",
  "sink.after_split",
  "sink.after_dead_letter",
]);

/** Every place at which the product lets a test kill it, in the order a row comes by. */
export const POINTS = [
  "wal.before_write",
  "wal.between_write_and_sync",
  "wal.after_sync",
  "wal.rotate",
  "http.before_answer",
  "sink.before_seal",
  "sink.after_seal",
  "sink.before_send",
  "sink.after_answer",
  "sink.before_split",
  "sink.after_split",
  "sink.after_dead_letter",
  "wal.before_cursor",
  "wal.before_unlink",
  "wal.unlink_before_folder_sync",
  "wal.carry",
  RETRY_POINT,
] as const;
