import { closeSync, fstatSync, ftruncateSync, mkdirSync, openSync, renameSync, writeSync } from "node:fs";
import { dirname } from "node:path";

/** A file under this name is still being written. */
export const OPEN_SUFFIX = ".open";

/** A file that whole lines are appended to. It bears its name once it is complete, and `.open` behind it before. */
export class AppendFile {
  readonly #path: string;
  readonly #fd: number;

  /** @throws the system's error when it cannot be made */
  constructor(path: string) {
    this.#path = path;
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    this.#fd = openSync(`${path}${OPEN_SUFFIX}`, "ax", 0o600);
  }

  /** Appends a line, all of it or nothing. @throws the system's error */
  append(line: string): void {
    const bytes = Buffer.from(`${line}\n`);
    const { size } = fstatSync(this.#fd);
    try {
      // The system may take less than it was given and still call it a success.
      for (let at = 0; at < bytes.length; ) at += writeSync(this.#fd, bytes, at);
    } catch (error) {
      ftruncateSync(this.#fd, size);
      throw error;
    }
  }

  /** Completes the file. */
  close(): void {
    closeSync(this.#fd);
    renameSync(`${this.#path}${OPEN_SUFFIX}`, this.#path);
  }
}
