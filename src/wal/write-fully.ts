import type { Disk } from "./disk.js";
import { LogDiskError } from "./disk-error.js";

/** So many writes in a row may take nothing before the disk counts as stalled. */
const EMPTY_WRITES_MAX = 2;

/**
 * Writes all of `bytes` to `position`. A disk that is nearly full takes a part of them and calls it a success; only the
 * next call fails.
 * @throws the system's error; LogDiskError "stalled"
 */
export function writeFully(disk: Disk, fd: number, bytes: Uint8Array, position: number): void {
  let empty = 0;
  for (let done = 0; done < bytes.length; ) {
    const written = disk.write(fd, bytes, done, bytes.length - done, position + done);
    empty = written === 0 ? empty + 1 : 0;
    if (empty === EMPTY_WRITES_MAX) {
      throw new LogDiskError("stalled", `byte ${position + done}`, new Error("a write took no byte twice"));
    }
    done += written;
  }
}
