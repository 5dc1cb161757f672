/** Every place at which the product lets a test kill it, in the order a row comes by. */
export const POINTS = [
  "wal.before_write",
  "wal.between_write_and_sync",
  "wal.after_sync",
  "wal.rotate",
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
  "dead_letter.retry",
] as const;
