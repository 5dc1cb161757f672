import assert from "node:assert/strict";
import type { Resume } from "./log.js";
import type { LogRecord } from "./records.js";
import type { Committed } from "./recovered.js";

/** Of a record beside its payload, roughly. */
const RECORD_BYTES = 128;

/** Records that the log's thread was told to write, and who waits for them. */
export interface Append {
  readonly records: readonly LogRecord[];
  readonly bytes: number;
  /** Monotonic milliseconds. */
  readonly since: number;
  readonly resolve: (committed: Committed) => void;
  readonly reject: (error: Error) => void;
}

interface Numbered {
  readonly append: Append;
  /** Ordinal of its first record. */
  readonly first: number;
}

/**
 * What is not on the disk yet, in the order it was given: kept until it is, so that a thread that dies takes nothing with it.
 * Gives the ordinals.
 */
export class Unsynced {
  #nextOrdinal: number;
  #waiting: Numbered[] = [];
  /** Without ordinals: while the disk is full they let others by. */
  #held: Append[] = [];
  #bytes = 0;
  /** Rows on the disk of each group whose end is not. */
  readonly #groups = new Map<bigint, number>();

  constructor(nextOrdinal: number) {
    this.#nextOrdinal = nextOrdinal;
  }

  get nextOrdinal(): number {
    return this.#nextOrdinal;
  }

  /** Where another writer has to go on: at the first record that nobody was told is safe. */
  get resume(): Pick<Resume, "at" | "groups"> {
    return { at: this.#waiting[0]?.first ?? this.#nextOrdinal, groups: this.#groups };
  }

  get bytes(): number {
    return this.#bytes;
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0 && this.#held.length === 0;
  }

  /** When the oldest that may be written was given; undefined: there is none. */
  get oldest(): number | undefined {
    return this.#waiting[0]?.append.since;
  }

  get numbered(): readonly Numbered[] {
    return this.#waiting;
  }

  /** @returns the ordinal of its first record */
  add(append: Append): number {
    this.#bytes += append.bytes;
    return this.#number(append);
  }

  hold(append: Append): void {
    this.#bytes += append.bytes;
    this.#held.push(append);
  }

  /** What was held gets its ordinals now. */
  release(): readonly Numbered[] {
    const released = this.#held.map((append) => ({ append, first: this.#number(append) }));
    this.#held = [];
    return released;
  }

  /** Tells those who waited for what the commit has made safe. */
  settle({ upTo, places }: Committed): void {
    let done = 0;
    let at = 0;
    for (const { append, first } of this.#waiting) {
      const last = first + append.records.length - 1;
      if (last > upTo) break;
      const mine = places.slice(at, at + append.records.length);
      assert(mine[0]?.ordinal === first && mine.at(-1)?.ordinal === last, "the log counts otherwise");
      at += mine.length;
      done += 1;
      this.#bytes -= append.bytes;
      for (const record of append.records) this.#follow(record);
      append.resolve({ upTo: last, places: mine });
    }
    this.#waiting.splice(0, done);
  }

  /** Tells everybody that there is no hope. */
  rejectAll(error: Error): void {
    const left = [...this.#waiting.map(({ append }) => append), ...this.#held];
    this.#waiting = [];
    this.#held = [];
    this.#bytes = 0;
    for (const { reject } of left) reject(error);
  }

  #follow(record: LogRecord): void {
    if (record.kind === "group_end") this.#groups.delete(record.group);
    else if (record.kind === "rows" && record.group !== 0n)
      this.#groups.set(record.group, (this.#groups.get(record.group) ?? 0) + record.count);
  }

  #number(append: Append): number {
    const first = this.#nextOrdinal;
    this.#nextOrdinal += append.records.length;
    this.#waiting.push({ append, first });
    return first;
  }
}

/** Bytes that a record takes while it waits, roughly. */
export function bytesOf(records: readonly LogRecord[]): number {
  return records.reduce(
    (sum, record) => sum + RECORD_BYTES + (record.kind === "rows" ? record.payload.byteLength : 0),
    0,
  );
}
