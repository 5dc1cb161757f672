import { rowText } from "../native/row-text.js";
import type { Recorder, TableWriter } from "../recorder.js";
import { RingConsumer } from "../ring/consumer.js";
import type { RecordLayout } from "../ring/layout.js";
import type { Normaliser } from "./normalise/normaliser.js";
import type { TableNormaliser } from "./normalise/table-normaliser.js";

/** Rows taken from one ring before the others have their turn. */
const TURN_ROWS = 2048;

/** Refused rows that may be on their way to the dead letters before the rings are left to wait. */
const LETTERS_MAX = 1024;
/** Rows that may be dropped wait in a ring that is filled less than this. */
const WAIT_SHARE = 0.5;

export interface RingIntakeOptions {
  readonly recorder: Recorder;
  readonly layouts: readonly RecordLayout[];
  readonly normaliser: Normaliser;
  /** A ring held what cannot be read, and all in so many cells is lost. */
  readonly onDamaged: (cells: number, cause: unknown) => void;
}

/**
 * Takes the rows of rings into the recorder's tables. A table at its limit leaves its rows in the ring: a critical one until there is
 * room, for which rows of others are dropped; any other as long as the ring is less than half full, after that its oldest rows are
 * dropped for new ones.
 */
export class RingIntake {
  readonly #layouts: readonly RecordLayout[];
  readonly #writers: readonly TableWriter[];
  readonly #normalisers: readonly TableNormaliser[];
  readonly #isCritical: readonly boolean[];
  readonly #rings: RingConsumer[] = [];
  /** Of the ring whose turn it is: whether rows that may be dropped can wait there, and whether one that may not does. */
  #canWait = true;
  #criticalWaits = false;
  #refused: Promise<void> = Promise.resolve();
  #letters = 0;
  readonly #onDamaged: RingIntakeOptions["onDamaged"];

  constructor({ recorder, layouts, normaliser, onDamaged }: RingIntakeOptions) {
    this.#onDamaged = onDamaged;
    this.#layouts = layouts;
    this.#writers = layouts.map(({ table }) => recorder.table(table));
    this.#normalisers = layouts.map(({ table }) => normaliser.of(table));
    this.#isCritical = layouts.map(({ critical }) => critical);
  }

  /** Takes rows of this ring, too, from where its last consumer stopped. */
  add(ring: SharedArrayBuffer): void {
    this.#rings.push(new RingConsumer(ring, this.#layouts, { onDamaged: this.#onDamaged }));
  }

  /** Takes a turn's rows from each ring; gives how many. */
  turn(): number {
    if (this.#letters > LETTERS_MAX) return 0;
    let rows = 0;
    for (const ring of this.#rings) {
      this.#canWait = ring.usage < WAIT_SHARE;
      this.#criticalWaits = false;
      rows += ring.drain(TURN_ROWS, this.#take);
      ring.release(ring.position);
    }
    return rows;
  }

  /** Tells, again and again, whether all rows that the rings hold now have been taken. */
  mark(): () => boolean {
    const marks = this.#rings.map((ring) => ring.mark());
    return () => marks.every((mark, index) => this.#rings[index]!.hasPassed(mark));
  }

  /** Resolves when the rows refused so far are in the dead letters. */
  async settled(): Promise<void> {
    await this.#refused;
  }

  readonly #take = (table: number, row: Record<string, unknown>): boolean => {
    const writer = this.#writers[table]!;
    const isCritical = this.#isCritical[table]!;
    if (isCritical) {
      // None overtakes another, for what an order said completes its fill.
      this.#criticalWaits ||= !writer.makeRoom();
      if (this.#criticalWaits) return false;
    } else if (writer.full && this.#canWait) return false;
    const normaliser = this.#normalisers[table]!;
    try {
      normaliser.normalise(row);
      if (writer.offer(row) !== undefined) normaliser.taken(row);
    } catch (error) {
      this.#letters += 1;
      this.#refused = writer.rejected(rowText(row), error).then(() => {
        this.#letters -= 1;
      });
    }
    return true;
  };
}
