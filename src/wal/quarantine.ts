import { join } from "node:path";
import type { Disk } from "./disk.js";
import { writeFully } from "./write-fully.js";

/** The name of these bytes in `quarantine/`. */
export function quarantineName(segment: number, offset: number): string {
  return `${String(segment).padStart(8, "0")}-${offset}`;
}

/**
 * Copies bytes that are no record to `quarantine/SEGMENT-OFFSET`, synced, before their place in the log is given up. What
 * is there under that name already is kept: an earlier start copied the same bytes and died before it went on.
 * @throws the system's error
 */
export function quarantine(disk: Disk, folder: string, segment: number, offset: number, bytes: Buffer): void {
  const target = join(folder, "quarantine");
  disk.makeFolder(target);
  const name = quarantineName(segment, offset);
  if (disk.list(target).includes(name)) return;
  const open = join(target, `${name}.open`);
  if (disk.list(target).includes(`${name}.open`)) disk.unlink(open);
  const fd = disk.create(open);
  try {
    writeFully(disk, fd, bytes, 0);
    disk.datasync(fd);
  } finally {
    disk.close(fd);
  }
  disk.rename(open, join(target, name));
  disk.syncFolder(target);
  disk.syncFolder(folder);
}
