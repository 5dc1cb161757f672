import {
  closeSync,
  constants,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  statfsSync,
  unlinkSync,
  writeSync,
} from "node:fs";

/**
 * The log's one way to the disk: every call blocks, and every failure is thrown as the operating system's error with
 * its `code`. Production uses {@link nodeDisk}; tests script others.
 */
export interface Disk {
  /** Makes the folder and those above it, for the owner alone (mode 0700). */
  makeFolder(path: string): void;
  /** Names in the folder, in no order. */
  list(path: string): string[];
  /** Makes a file for the owner alone (mode 0600), open for both; throws if there is one. */
  create(path: string): number;
  /** Opens a file that is there; "write" reads too. */
  open(path: string, mode: "read" | "write"): number;
  /** Writes from `offset` in `bytes` to `position` in the file; the count written may be short. */
  write(fd: number, bytes: Uint8Array, offset: number, length: number, position: number): number;
  /** Reads to `offset` in `bytes` from `position` in the file; the count read may be short, 0 is the end. */
  read(fd: number, bytes: Uint8Array, offset: number, length: number, position: number): number;
  /** Bytes and size of the file are on the disk when it returns. */
  datasync(fd: number): void;
  truncate(fd: number, size: number): void;
  size(fd: number): number;
  close(fd: number): void;
  rename(from: string, to: string): void;
  unlink(path: string): void;
  /** What was made, renamed or unlinked in the folder is on the disk when it returns. */
  syncFolder(path: string): void;
  /** Bytes that an unprivileged user has free, and could have in all, of the file system that holds `path`. */
  space(path: string): { readonly free: number; readonly total: number };
}

const { O_CREAT, O_EXCL, O_RDONLY, O_RDWR } = constants;

/** The disk of this machine. */
export const nodeDisk: Disk = {
  makeFolder: (path) => void mkdirSync(path, { recursive: true, mode: 0o700 }),
  list: (path) => readdirSync(path),
  create: (path) => openSync(path, O_CREAT | O_EXCL | O_RDWR, 0o600),
  open: (path, mode) => openSync(path, mode === "read" ? O_RDONLY : O_RDWR),
  write: writeSync,
  read: readSync,
  datasync: fdatasyncSync,
  truncate: ftruncateSync,
  size: (fd) => fstatSync(fd).size,
  close: closeSync,
  rename: renameSync,
  unlink: unlinkSync,
  syncFolder(path) {
    const fd = openSync(path, O_RDONLY);
    try {
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
  },
  space(path) {
    const { bavail, bfree, blocks, bsize } = statfsSync(path);
    // What is kept for root is no part of the disk, as `df` has it.
    return { free: bavail * bsize, total: (blocks - bfree + bavail) * bsize };
  },
};
