/**
 * Every failure coldpath reports has one stable code, listed here once; `docs/reference/errors.md` is generated from
 * this table. A stage that needs to carry more than a message subclasses {@link ColdpathError} beside its own code.
 * Programming errors are not here: they assert.
 */
export const ERROR_CODES = {
  USAGE: "The command line was used wrongly.",
  ADDRESS_IN_USE: "Another process listens on the configured address.",
  CONFIG_INVALID: "The configuration has mistakes; nothing was started.",
  CLICKHOUSE_ANSWER: "ClickHouse answered a request with an exception.",
  CLICKHOUSE_UNREACHABLE:
    "No usable answer came from ClickHouse: refused, reset, timed out or not a ClickHouse.",
  ENGINE_NOT_INSTALLED:
    "The embedded ClickHouse (npm package chdb) is not installed or has no build for this platform.",
  ENGINE_FOLDER_LOCKED: "Another process holds the data folder of the embedded ClickHouse.",
  ENGINE_FOLDER_DAMAGED: "The embedded ClickHouse cannot open its data folder.",
  ENGINE_FAILED: "The embedded ClickHouse did not start, died or stopped answering.",
  MIGRATION_CHANGED: "A migration that was already applied has a different text now.",
  MIGRATION_LOCKED: "Another process holds the migration lock.",
  MIGRATION_FAILED: "A statement of a migration was refused by ClickHouse.",
  SCHEMA_MISMATCH: "The tables in ClickHouse differ from what the recorder expects.",
  SERVICE_ANSWER: "The running service did not do what a command asked of it.",
  SERVICE_ABSENT: "No service of this configuration runs on this machine.",
  GRANT_MISSING: "The user of the ClickHouse server lacks rights; the message has the GRANT for each.",
  TABLE_UNKNOWN: "The named table does not exist or is not a recorder table.",
  TYPE_UNSUPPORTED: "A column has a ClickHouse type that the encoder does not write.",
  PARTITION_UNSUPPORTED: "A table is partitioned by an expression whose value the recorder cannot compute.",
  VALUE_REJECTED: "A value does not fit its column; the row was refused.",
  BLOCK_DAMAGED: "The bytes of rows kept for later are truncated or damaged: they are no whole Native block.",
  BLOCK_COLUMNS: "A Native block has other columns than those it is to be added to.",
  INPUT_UNREADABLE: "A source file cannot be read to its end: missing, truncated or broken compression.",
  INPUT_REJECTED: "Some rows of the input were refused.",
  MAPPING_INVALID: "A mapping file has mistakes.",
  PIPELINE_FAILED: "The recorder's pipeline thread did not start, or died and is being started again.",
  RING_IN_USE: "Another thread records into this ring.",
  RECORDER_CLOSED: "The recorder takes no more rows.",
  QUEUE_FULL: "A queue is at its configured limit and the row was refused.",
  BATCH_FAILED: "A batch could not be stored.",
  DEAD_LETTERS_LOCKED: "Another command changes the dead letters.",
  WAL_LOCKED: "Another recorder holds the folder of the log.",
  WAL_FAILED: "The log could not be opened.",
  WAL_DISK:
    "The disk of the log failed: full, read-only, gone or broken; nothing more is acknowledged until it heals.",
  WAL_ABSENT: "There is no log in the named folder, or not the named part of it.",
  WAL_NEWER: "A newer version of coldpath wrote the log.",
  WAL_DAMAGED: "Bytes of the log are not what was written there.",
  DEADLINE: "The work did not end before its deadline.",
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;

/**
 * The base of every operating error. `message` says what, where and what to do in one line; `code` is stable and meant
 * for programs.
 */
export class ColdpathError extends Error {
  override readonly name: string = "ColdpathError";
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

/** The one line a person reads of anything thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
