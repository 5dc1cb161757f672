import type { Disk } from "./disk.js";

/** The disk, which tells how many seconds each `datasync` took that did not fail. */
export function timedDisk(disk: Disk, onSync: (seconds: number) => void): Disk {
  return {
    makeFolder: (path) => disk.makeFolder(path),
    list: (path) => disk.list(path),
    create: (path) => disk.create(path),
    open: (path, mode) => disk.open(path, mode),
    write: (fd, bytes, offset, length, position) => disk.write(fd, bytes, offset, length, position),
    read: (fd, bytes, offset, length, position) => disk.read(fd, bytes, offset, length, position),
    datasync(fd) {
      const began = performance.now();
      disk.datasync(fd);
      onSync((performance.now() - began) / 1000);
    },
    truncate: (fd, size) => disk.truncate(fd, size),
    size: (fd) => disk.size(fd),
    close: (fd) => disk.close(fd),
    rename: (from, to) => disk.rename(from, to),
    unlink: (path) => disk.unlink(path),
    syncFolder: (path) => disk.syncFolder(path),
    space: (path) => disk.space(path),
  };
}
