import { join } from "node:path";
import { MIB } from "../base/units.js";
import type { Disk } from "./disk.js";
import type { Log } from "./log.js";
import type { DiskReport, LogThreadStart } from "./log-protocol.js";
import type { RecordPlace, SegmentSummary } from "./recovered.js";

const ASK_BYTES: number = MIB;

/** What the log's thread tells of the disk and of what the log has there. */
export class DiskLook {
  readonly #disk: Disk;
  readonly #start: LogThreadStart;
  /** Live segments and when they were made. */
  readonly #segments: Map<number, number>;
  readonly #quarantined: number;
  /** Bytes written since the disk was asked for its space. */
  #unasked = 0;
  #space: { readonly free: number; readonly total: number } = { free: 0, total: 0 };
  /** Whether the log had a chance to make its reserve, or had use for it: what is not there is missing from then on. */
  tended: boolean;

  constructor(disk: Disk, start: LogThreadStart, segments: readonly SegmentSummary[]) {
    this.#disk = disk;
    this.#start = start;
    this.tended = start.resume !== undefined;
    this.#segments = new Map(segments.map(({ segment, createdAt }) => [segment, createdAt]));
    this.#quarantined = disk.list(start.dir).includes("quarantine")
      ? disk.list(join(start.dir, "quarantine")).length
      : 0;
    this.refresh();
  }

  /** Bytes of the disk, when it was asked last. */
  get free(): number {
    return this.#space.free;
  }

  /** Asks for the space; a disk that does not say has what it had. */
  refresh(): void {
    this.#unasked = 0;
    try {
      this.#space = this.#disk.space(this.#start.dir);
    } catch {
      // The next write tells what it suffers from.
    }
  }

  wrote(places: readonly RecordPlace[]): void {
    for (const { place } of places) {
      if (!this.#segments.has(place.segment)) this.#segments.set(place.segment, Date.now());
      this.#unasked += place.length;
    }
    if (this.#unasked >= ASK_BYTES) this.refresh();
  }

  removed(segment: number): void {
    this.#segments.delete(segment);
  }

  report({ bytes, reserveHeld }: Log): DiskReport {
    const oldest = this.#segments.keys().next();
    return {
      ...this.#space,
      bytes,
      reserved: reserveHeld || !this.tended || this.#start.reserveBytes === 0,
      segments: this.#segments.size,
      oldestAt: oldest.done === true ? undefined : this.#segments.get(oldest.value),
      quarantined: this.#quarantined,
    };
  }
}
