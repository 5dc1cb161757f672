import type { RingPosition, SourceCut } from "../recorder.js";
import type { RingConsumer } from "../ring/consumer.js";

/**
 * How far the rows of one ring are in the log. Its room is freed behind the sync that covers it; while nothing is to be synced,
 * behind the reader.
 */
export class LoggedRing {
  readonly consumer: RingConsumer;
  /** Numbers of the logged tables by name. */
  readonly #tables: ReadonlyMap<string, number>;
  /** Rows for the log were taken that are in no commit yet, and in one that is on its way to the disk. */
  #isUncut = false;
  #isUnsynced = false;
  /** Refused rows that are on their way to the dead letters. */
  #letters = 0;

  constructor(consumer: RingConsumer, tables: ReadonlyMap<string, number>) {
    this.consumer = consumer;
    this.#tables = tables;
  }

  /** A row of a logged table was taken. */
  taken(): void {
    this.#isUncut = true;
  }

  /** The row at this position was refused; it is another consumer's to refuse until the letter is on disk. */
  refused(position: number, letter: Promise<void>): void {
    this.#letters += 1;
    void letter.then(() => {
      this.#letters -= 1;
      this.consumer.pass(position);
    });
  }

  /**
   * Frees what was taken, unless some of it is yet to be safe.
   *
   * @param allSynced whether nothing waits for the log: rows may also have been left out by a policy
   */
  free(allSynced: boolean): void {
    if (allSynced) this.#isUncut = this.#isUnsynced = false;
    if (!this.#isUncut && !this.#isUnsynced && this.#letters === 0)
      this.consumer.release(this.consumer.position);
  }

  /** All rows taken so far go into a commit. */
  cut(): Pick<SourceCut, "positionsOf" | "synced"> {
    const { consumer } = this;
    const { producer } = consumer;
    const cut = consumer.cut();
    this.#isUnsynced ||= this.#isUncut;
    this.#isUncut = false;
    const positions = new Map<string, RingPosition>();
    for (const [name, table] of this.#tables) {
      const to = cut.takenTo[table]!;
      if (to >= 0) positions.set(name, { producer, position: BigInt(to) });
    }
    return {
      positionsOf: (table) => {
        const found = positions.get(table);
        return found === undefined ? [] : [found];
      },
      // Letters that the commit had to wait for are on disk; later ones are behind the position.
      synced: () => {
        this.#isUnsynced = false;
        consumer.settle(cut);
      },
    };
  }
}
