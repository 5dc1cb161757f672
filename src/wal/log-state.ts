import { SECOND_MS } from "../base/units.js";
import type { DiskTrouble } from "./disk-error.js";

/** From good to bad; the table in docs/internals/log-thread.md says what each means and what ends it. */
export type LogState =
  | "ok"
  | "nearly_full"
  | "slow"
  | "full"
  | "read_only"
  | "failing"
  | "missing"
  | "too_many_files"
  | "denied"
  /** The log's thread died and is being started again. */
  | "down";

/** Why critical rows are refused: the log is larger or the disk fuller than it may be, or too much waits for the disk. */
export type Refusal = "wal_max" | "wal_emergency_disk" | `wal_${Exclude<LogState, "ok" | "nearly_full">}`;

/** What rows may be waiting for the disk in bytes; beyond it no more are taken. */
export const UNSYNCED_MAX: number = 8 * 1024 * 1024;

/** A commit that takes longer is worth telling. */
const SLOW_MS: number = SECOND_MS;
/** So long a slow commit is told of when no other has followed. */
const SLOW_TOLD_MS: number = 5 * SECOND_MS;
/** Share of a limit at which it is told that the limit comes near. */
const NEAR = 0.95;

const STATE_OF: Readonly<Record<DiskTrouble, LogState>> = {
  full: "full",
  read_only: "read_only",
  failing: "failing",
  missing: "missing",
  too_many_files: "too_many_files",
  denied: "denied",
  stalled: "failing",
  unknown: "failing",
};

/** Bytes of the disk and of the log on it. */
export interface DiskFacts {
  readonly free: number;
  readonly total: number;
  /** Of live segments. */
  readonly bytes: number;
  /** Whether the reserve is there; without it only what helps to empty the log is written. */
  readonly reserved: boolean;
}

export interface HealthLimits {
  /** Bytes of live segments. */
  readonly maxBytes: number;
  readonly reserveBytes: number;
  /** Share of the disk, 0 to 1, by whomever used. */
  readonly emergencyDisk: number;
}

export interface Trouble {
  readonly state: DiskTrouble;
  readonly message: string;
}

/** What is known of the log's disk, and the one state it amounts to. Times are monotonic milliseconds. */
export class LogHealth {
  readonly #limits: HealthLimits;
  #disk: DiskFacts | undefined;
  #trouble: Trouble | undefined;
  /** Why the thread is not there. */
  #down: string | undefined;
  #slowAt = Number.NEGATIVE_INFINITY;
  #slowMs = 0;
  #unsynced = 0;

  constructor(limits: HealthLimits) {
    this.#limits = limits;
  }

  get disk(): DiskFacts | undefined {
    return this.#disk;
  }

  measured(facts: DiskFacts): void {
    this.#disk = facts;
  }

  /** @param trouble undefined: the disk does what it is asked again */
  troubled(trouble: Trouble | undefined): void {
    this.#trouble = trouble;
  }

  /** @param reason undefined: the thread is there */
  down(reason: string | undefined): void {
    this.#down = reason;
  }

  /** @param bytes that wait for the disk */
  waiting(bytes: number): void {
    this.#unsynced = bytes;
  }

  /** A commit took so long, or has been running so long. */
  took(ms: number, now: number): void {
    if (ms > SLOW_MS) {
      this.#slowAt = now;
      this.#slowMs = ms;
    }
  }

  /** A commit came through; after a quick one a slow one before it is history. */
  committed(ms: number, now: number): void {
    this.#slowAt = Number.NEGATIVE_INFINITY;
    this.took(ms, now);
  }

  /** The worst of what is known, with the words for a person. */
  state(now: number): { readonly state: LogState; readonly reason: string } {
    if (this.#down !== undefined) return { state: "down", reason: this.#down };
    if (this.#trouble !== undefined)
      return { state: STATE_OF[this.#trouble.state], reason: this.#trouble.message };
    if (this.#disk?.reserved === false)
      return {
        state: "full",
        reason: `the disk is full, ${inWords(this.#disk.free)} free: rows wait until it is twice wal.reserve`,
      };
    if (now - this.#slowAt < SLOW_TOLD_MS)
      return { state: "slow", reason: `a commit to the disk takes ${Math.round(this.#slowMs)} ms` };
    const near = this.#near();
    return near === undefined
      ? { state: "ok", reason: "the disk takes what it is given" }
      : { state: "nearly_full", reason: near };
  }

  /** Why rows must not be taken now, if so; `isFull`: too many wait for the disk, whatever is known here. */
  refusing(now: number, isFull = false): Refusal | undefined {
    const limit = this.limit;
    if (limit !== undefined) return limit;
    if (!isFull && this.#unsynced <= UNSYNCED_MAX) return undefined;
    const { state } = this.state(now);
    return state === "ok" || state === "nearly_full" ? "wal_slow" : `wal_${state}`;
  }

  /** The limit of log or disk that is reached. */
  get limit(): Extract<Refusal, "wal_max" | "wal_emergency_disk"> | undefined {
    const disk = this.#disk;
    if (disk === undefined) return undefined;
    const { maxBytes, emergencyDisk } = this.#limits;
    if (disk.bytes >= maxBytes) return "wal_max";
    return usedShare(disk) >= emergencyDisk ? "wal_emergency_disk" : undefined;
  }

  #near(): string | undefined {
    const disk = this.#disk;
    if (disk === undefined) return undefined;
    const { maxBytes, reserveBytes, emergencyDisk } = this.#limits;
    if (disk.bytes >= maxBytes * NEAR)
      return `the log has ${inWords(disk.bytes)} of the ${inWords(maxBytes)} of wal.max`;
    if (disk.free < 2 * reserveBytes) return `the disk has ${inWords(disk.free)} free`;
    const used = usedShare(disk);
    return used >= emergencyDisk * NEAR
      ? `the disk is ${Math.floor(used * 100)} % used; from ${Math.round(emergencyDisk * 100)} % on rows are refused`
      : undefined;
  }
}

function usedShare({ free, total }: DiskFacts): number {
  return total === 0 ? 0 : 1 - free / total;
}

function inWords(bytes: number): string {
  return `${Math.floor(bytes / 1024 / 1024)} MiB`;
}
