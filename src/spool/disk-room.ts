import { MIB } from "../base/units.js";
import type { DiskFacts } from "../wal/log-state.js";

/** The disk keeps so many times the log's reserve free of spools: the log itself speaks of twice. */
const RESERVES = 4;
/** Below that it is given way until there is so much more. */
const RELIEF = 1.25;
/** Spools end at this share of what makes the log refuse rows, where the log begins to warn. */
const NEAR = 0.95;
/** And they go on at this much less. */
const NEAR_RELIEF = 0.01;

type Space = Pick<DiskFacts, "free" | "total">;

/** Whether the disk has room for a spool: what the log may need of it is the log's. */
export class DiskRoom {
  readonly #reserve: number;
  readonly #emergencyDisk: number;
  #seen: Space | undefined;
  /** Bytes given free since. */
  #gained = 0;
  #isTight = false;
  #reason = "";

  /** `reserve`: bytes that the log keeps back; `emergencyDisk`: share of the disk in use from which critical rows are refused. */
  constructor({ reserve, emergencyDisk }: { readonly reserve: number; readonly emergencyDisk: number }) {
    this.#reserve = reserve;
    this.#emergencyDisk = emergencyDisk;
  }

  /** As of the last look. */
  get isTight(): boolean {
    return this.#isTight;
  }

  /** In words, while it is tight. */
  get reason(): string {
    return this.#reason;
  }

  /** The disk was asked; what was seen before tells nothing new. */
  look(space: Space): void {
    if (space === this.#seen) return;
    this.#seen = space;
    this.#gained = 0;
    this.#judge(space);
  }

  /** So many bytes are being given free: they count until the disk is asked again. */
  gained(bytes: number): void {
    if (this.#seen === undefined) return;
    const { free, total } = this.#seen;
    this.#gained += bytes;
    this.#judge({ free: free + this.#gained, total });
  }

  #judge({ free, total }: Space): void {
    const used = total === 0 ? 0 : 1 - free / total;
    const least = this.#reserve * RESERVES * (this.#isTight ? RELIEF : 1);
    const most = this.#emergencyDisk * NEAR - (this.#isTight ? NEAR_RELIEF : 0);
    this.#isTight = free < least || used >= most;
    const what =
      free < least ? `has ${Math.floor(free / MIB)} MiB free` : `is ${Math.floor(used * 100)} % used`;
    if (this.#isTight) this.#reason = `the disk ${what}: what is left is for the log`;
  }
}
