import { ColdpathError, messageOf } from "../base/errors.js";

/** What the disk of a log suffers from, by the cause that an operator can act on. */
export type DiskTrouble =
  | "full"
  | "read_only"
  | "failing"
  | "missing"
  | "too_many_files"
  | "denied"
  | "stalled"
  | "unknown";

const TROUBLE_OF: Readonly<Record<string, DiskTrouble>> = {
  ENOSPC: "full",
  EDQUOT: "full",
  EROFS: "read_only",
  EIO: "failing",
  ENXIO: "failing",
  ENODEV: "failing",
  ESTALE: "missing",
  ENOENT: "missing",
  ENOTDIR: "missing",
  EMFILE: "too_many_files",
  ENFILE: "too_many_files",
  EACCES: "denied",
  EPERM: "denied",
};

const ADVICE: Readonly<Record<DiskTrouble, string>> = {
  full: "the disk is full",
  read_only: "the file system is read-only",
  failing: "the disk fails",
  missing: "the folder is gone",
  too_many_files: "too many files are open",
  denied: "access is denied",
  stalled: "the disk takes no bytes",
  unknown: "the disk failed",
};

/** The log could not write; nothing of the commit is acknowledged, and it may be tried again. */
export class LogDiskError extends ColdpathError {
  override readonly name = "LogDiskError";
  readonly state: DiskTrouble;

  constructor(state: DiskTrouble, path: string, cause: unknown) {
    super("WAL_DISK", `Cannot write to ${path}: ${ADVICE[state]} (${messageOf(cause)})`, { cause });
    this.state = state;
  }

  /** Whether a call to the disk threw this, and not a defect. */
  static isOfDisk(error: unknown): boolean {
    if (error instanceof AggregateError) return LogDiskError.isOfDisk(error.cause);
    // Codes of the runtime have an underscore: ERR_ASSERTION.
    return error instanceof LogDiskError || /^E[A-Z0-9]+$/.test((error as NodeJS.ErrnoException)?.code ?? "");
  }

  /** The error for what a disk call threw. */
  static of(path: string, cause: unknown): LogDiskError {
    if (cause instanceof LogDiskError) return cause;
    // What failed first is the cause of an AggregateError; the others failed on the way back.
    const first = cause instanceof AggregateError ? cause.cause : cause;
    if (first instanceof LogDiskError) return first;
    const code = (first as NodeJS.ErrnoException | undefined)?.code ?? "";
    return new LogDiskError(TROUBLE_OF[code] ?? "unknown", path, cause);
  }
}
