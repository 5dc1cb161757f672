import assert from "node:assert";
import type { KeyedAnswer } from "../buffer/row-group.js";

export type KeyState =
  | { readonly kind: "unknown" }
  | { readonly kind: "in_progress" }
  | { readonly kind: "done"; readonly answered: KeyedAnswer };

export interface LedgerOptions {
  /** Milliseconds for which an answer is remembered. */
  readonly ttlMs: number;
  /** Bytes that all answers may take; the oldest are forgotten before their time to stay below it. */
  readonly maxBytes: number;
  /** Wall clock, milliseconds. */
  readonly now: () => number;
}

export interface Checkpoint {
  /** Every answer logged up to this ordinal is in it, except those that expired. */
  readonly upTo: number;
  readonly bytes: Uint8Array;
}

/** What a {@link KeyedAnswer} costs in the heap beside its texts. */
const ENTRY_BYTES = 200;

/** The bytes of a checkpoint: this as JSON. The log adds a checksum. */
interface Saved {
  readonly version: number;
  readonly upTo: number;
  readonly answers: readonly (readonly [
    key: string,
    bodyHash: string,
    status: number,
    answer: string,
    at: number,
  ])[];
}

const VERSION = 1;

const UNKNOWN: KeyState = { kind: "unknown" };
const IN_PROGRESS: KeyState = { kind: "in_progress" };

/**
 * Which keyed requests were answered, and how. The truth are the group ends in the log; this is their index, which outlives
 * the segments by its checkpoints: a segment may go only when {@link coveredUpTo} has passed its group ends.
 */
export class Ledger {
  readonly #options: LedgerOptions;
  /** In the order of the log, hence oldest first. */
  readonly #answers = new Map<string, KeyedAnswer>();
  /** Keys being worked on. */
  readonly #claims = new Set<string>();
  #bytes = 0;
  #lastOrdinal = 0;
  #coveredUpTo = 0;
  #forgottenEarly = 0;

  constructor(options: LedgerOptions) {
    this.#options = options;
  }

  /** The ledger of a checkpoint that was saved. Group ends behind it are then given to {@link replay}. */
  static restore(checkpoint: Uint8Array, options: LedgerOptions): Ledger {
    const ledger = new Ledger(options);
    const { version, upTo, answers } = JSON.parse(Buffer.from(checkpoint).toString()) as Saved;
    assert(version === VERSION, `ledger format ${version}, this program knows ${VERSION}`);
    for (const [key, bodyHash, status, answer, at] of answers)
      ledger.#remember({ key, bodyHash, status, answer, at });
    ledger.#lastOrdinal = upTo;
    ledger.#coveredUpTo = upTo;
    return ledger;
  }

  /** Answers held, expired ones perhaps included. */
  get size(): number {
    return this.#answers.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Answers forgotten before their time, for want of room. */
  get forgottenEarly(): number {
    return this.#forgottenEarly;
  }

  /** Group ends up to this ordinal are in a checkpoint that is on disk. */
  get coveredUpTo(): number {
    return this.#coveredUpTo;
  }

  find(key: string): KeyState {
    if (this.#claims.has(key)) return IN_PROGRESS;
    const answer = this.#answers.get(key);
    return answer === undefined || this.#isExpired(answer) ? UNKNOWN : { kind: "done", answered: answer };
  }

  /**
   * Somebody works on the request of this key, until {@link finish}, or until {@link release} if nothing of it was given to the log: what
   * may be on disk cannot be taken back, and stays in progress.
   */
  claim(key: string): void {
    assert(!this.#claims.has(key), "one request at a time for each key");
    this.#claims.add(key);
  }

  /** The group end of a claimed key is synced under this ordinal: from now on its answer is given again. In the order of the log. */
  finish(ordinal: number, answer: KeyedAnswer): void {
    assert(ordinal > this.#lastOrdinal, "group ends are told in the order of the log");
    assert(this.#claims.delete(answer.key), "a key is claimed before it is finished");
    this.#lastOrdinal = ordinal;
    this.#remember(answer);
  }

  /** The claimed request came to nothing: the key is as before. */
  release(key: string): void {
    this.#claims.delete(key);
  }

  /** A group end found in the log at the start. */
  replay(ordinal: number, answer: KeyedAnswer): void {
    if (ordinal <= this.#lastOrdinal) return;
    this.#lastOrdinal = ordinal;
    this.#remember(answer);
  }

  /** What is known now, to be saved; tell {@link saved} once it is on disk. */
  checkpoint(): Checkpoint {
    this.#dropExpired();
    const upTo = this.#lastOrdinal;
    const answers = [...this.#answers.values()].map(
      ({ key, bodyHash, status, answer, at }) => [key, bodyHash, status, answer, at] as const,
    );
    return { upTo, bytes: Buffer.from(JSON.stringify({ version: VERSION, upTo, answers } satisfies Saved)) };
  }

  saved({ upTo }: Pick<Checkpoint, "upTo">): void {
    this.#coveredUpTo = Math.max(this.#coveredUpTo, upTo);
  }

  #isExpired({ at }: KeyedAnswer): boolean {
    return at + this.#options.ttlMs <= this.#options.now();
  }

  #remember(answer: KeyedAnswer): void {
    this.#forget(answer.key);
    this.#answers.set(answer.key, answer);
    this.#bytes += sizeOf(answer);
    this.#dropExpired();
    for (const oldest of this.#answers.values()) {
      if (this.#bytes <= this.#options.maxBytes) return;
      this.#forget(oldest.key);
      this.#forgottenEarly += 1;
    }
  }

  #dropExpired(): void {
    for (const answer of this.#answers.values()) {
      if (!this.#isExpired(answer)) return;
      this.#forget(answer.key);
    }
  }

  #forget(key: string): void {
    const answer = this.#answers.get(key);
    if (answer === undefined) return;
    this.#answers.delete(key);
    this.#bytes -= sizeOf(answer);
  }
}

function sizeOf({ key, bodyHash, answer }: KeyedAnswer): number {
  return ENTRY_BYTES + key.length + bodyHash.length + 2 * answer.length;
}
