import type { DiskFacts } from "./log-state.js";

const SAMPLES = 60;

interface Sample {
  readonly at: number;
  readonly bytes: number;
  readonly free: number;
}

/** How fast files and their disk have filled over the last minute. */
export class LogGrowth {
  readonly #samples: Sample[] = [];

  /** To be called about once a second. */
  sample(at: number, { bytes, free }: Pick<DiskFacts, "bytes" | "free">): void {
    this.#samples.push({ at, bytes, free });
    if (this.#samples.length > SAMPLES) this.#samples.shift();
  }

  /**
   * When rows would be refused if it went on like this.
   *
   * @param roomInLog bytes the log may still grow
   * @param roomOnDisk bytes of the disk that may still be used
   * @returns seconds; undefined: neither fills
   */
  secondsUntil(roomInLog: number, roomOnDisk: number): number | undefined {
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    if (first === undefined || last === undefined || first.at === last.at) return undefined;
    const seconds = (last.at - first.at) / 1000;
    const left = Math.min(
      secondsFor(roomInLog, (last.bytes - first.bytes) / seconds),
      secondsFor(roomOnDisk, (first.free - last.free) / seconds),
    );
    return left === Number.POSITIVE_INFINITY ? undefined : left;
  }
}

function secondsFor(room: number, perSecond: number): number {
  return perSecond > 0 ? Math.max(0, room) / perSecond : Number.POSITIVE_INFINITY;
}
