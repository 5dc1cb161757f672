import { rowText } from "../native/row-text.js";
import type { Recorder, TableWriter } from "../recorder.js";
import { RingConsumer } from "../ring/consumer.js";
import type { RecordLayout } from "../ring/layout.js";
import type { Normaliser } from "./normalise/normaliser.js";
import type { TableNormaliser } from "./normalise/table-normaliser.js";

/** Rows taken from one ring before the others have their turn. */
const TURN_ROWS = 2048;

/** Takes the rows of rings into the recorder's tables. */
export class RingIntake {
  readonly #layouts: readonly RecordLayout[];
  readonly #writers: readonly TableWriter[];
  readonly #normalisers: readonly TableNormaliser[];
  readonly #waits: readonly boolean[];
  readonly #rings: RingConsumer[] = [];
  #refused: Promise<void> = Promise.resolve();

  constructor(recorder: Recorder, layouts: readonly RecordLayout[], normaliser: Normaliser) {
    this.#layouts = layouts;
    this.#writers = layouts.map(({ table }) => recorder.table(table));
    this.#normalisers = layouts.map(({ table }) => normaliser.of(table));
    this.#waits = layouts.map(({ critical }) => critical);
  }

  /** Takes rows of this ring, too, from where its last consumer stopped. */
  add(ring: SharedArrayBuffer): void {
    this.#rings.push(new RingConsumer(ring, this.#layouts));
  }

  /** Takes a turn's rows from each ring; gives how many. */
  turn(): number {
    let rows = 0;
    for (const ring of this.#rings) rows += ring.drain(TURN_ROWS, this.#take);
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
    const normaliser = this.#normalisers[table]!;
    // What may not be dropped waits in the ring, which has room of its own for it.
    if (this.#waits[table] && writer.full) return false;
    try {
      normaliser.normalise(row);
      if (writer.offer(row) !== undefined) normaliser.taken(row);
    } catch (error) {
      this.#refused = writer.rejected(rowText(row), error);
    }
    return true;
  };
}
