import { type Disk, nodeDisk } from "./disk.js";

/** The disk for those who look at a log that is not theirs: whatever would change something fails with EROFS. */
export const readOnlyDisk: Disk = {
  ...nodeDisk,
  makeFolder: refuse,
  create: refuse,
  open: (path, mode) => (mode === "read" ? nodeDisk.open(path, mode) : refuse()),
  write: refuse,
  datasync: refuse,
  truncate: refuse,
  rename: refuse,
  unlink: refuse,
  syncFolder: refuse,
};

function refuse(): never {
  throw Object.assign(new Error("EROFS: the log is only looked at"), { code: "EROFS" });
}
