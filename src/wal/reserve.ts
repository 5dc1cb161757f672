import { join } from "node:path";
import type { Disk } from "./disk.js";
import { writeFully } from "./write-fully.js";

const STEP = Buffer.alloc(1024 * 1024);

/**
 * A file of zeros that is given up when the disk is full, so that seals, skips and the cursor can still be written and
 * the log be trimmed.
 */
export class Reserve {
  readonly #disk: Disk;
  readonly #folder: string;
  readonly #path: string;
  readonly #bytes: number;
  #held = false;

  constructor(disk: Disk, folder: string, bytes: number) {
    this.#disk = disk;
    this.#folder = folder;
    this.#path = join(folder, "reserve");
    this.#bytes = bytes;
  }

  get held(): boolean {
    return this.#held;
  }

  /** Makes it if there is room for it twice, so that it is not what fills the disk. @throws the system's error */
  hold(): void {
    if (this.#held || this.#bytes === 0) return;
    const there = this.#disk.list(this.#folder).includes("reserve");
    const fd = there ? this.#disk.open(this.#path, "write") : this.#disk.create(this.#path);
    try {
      const size = this.#disk.size(fd);
      if (size < this.#bytes) {
        if (this.#disk.space(this.#folder).free < 2 * this.#bytes) return;
        for (let at = size; at < this.#bytes; at += STEP.length) {
          writeFully(this.#disk, fd, STEP.subarray(0, Math.min(STEP.length, this.#bytes - at)), at);
        }
        this.#disk.datasync(fd);
      }
      this.#held = true;
    } finally {
      this.#disk.close(fd);
    }
  }

  /** Gives the space back. Whether there was any. @throws the system's error */
  release(): boolean {
    if (!this.#disk.list(this.#folder).includes("reserve")) return false;
    this.#disk.unlink(this.#path);
    this.#held = false;
    return true;
  }
}
