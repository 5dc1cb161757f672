import { rowText } from "../native/row-text.js";
import type { Gap, Recorder, RowSource, SourceCut, TableWriter } from "../recorder.js";
import { RingConsumer } from "../ring/consumer.js";
import type { RecordLayout } from "../ring/layout.js";
import { RingMemory } from "../ring/memory.js";
import { LoggedRing } from "./logged-ring.js";
import type { Normaliser } from "./normalise/normaliser.js";
import type { TableNormaliser } from "./normalise/table-normaliser.js";

/** Rows taken from one ring before the others have their turn. */
const TURN_ROWS = 2048;

/** Refused rows that may be on their way to the dead letters before the rings are left to wait. */
const LETTERS_MAX = 1024;
/** Rows that may be dropped wait in a ring that is filled less than this. */
const WAIT_SHARE = 0.5;

/** Why rows never came into a ring: by its counters, and as a gap. */
const REFUSALS = [
  ["ringFull", "ring_full"],
  ["tooLarge", "too_large"],
] as const;

export interface RingIntakeOptions {
  readonly recorder: Recorder;
  readonly layouts: readonly RecordLayout[];
  readonly normaliser: Normaliser;
  /** Share of each ring that any row of a best-effort table may fill. */
  readonly openShare: number;
  /** A ring held what cannot be read, and all in so many cells is lost. */
  readonly onDamaged: (cells: number, cause: unknown) => void;
}

/**
 * Takes the rows of rings into the recorder's tables. A table at its limit leaves its rows in the ring: a critical one until there is
 * room, for which rows of others are dropped; any other as long as the ring is less than half full, after that its oldest rows are
 * dropped for new ones, unless the sink has them all. Rows of tables with a log keep their room in the ring until they are in the log.
 */
export class RingIntake implements RowSource {
  readonly #recorder: Recorder;
  readonly #layouts: readonly RecordLayout[];
  readonly #writers: readonly TableWriter[];
  readonly #normalisers: readonly TableNormaliser[];
  readonly #isCritical: readonly boolean[];
  /** Numbers of the logged tables by name. */
  readonly #logged: ReadonlyMap<string, number>;
  readonly #onDamaged: RingIntakeOptions["onDamaged"];
  readonly #rings: LoggedRing[] = [];
  /** The ring whose turn it is: whether rows that may be dropped can wait there, and whether one that may not does. */
  #turn!: LoggedRing;
  #canWait = true;
  #criticalWaits = false;
  #refused: Promise<unknown> = Promise.resolve();
  #letters = 0;

  constructor({ recorder, layouts, normaliser, openShare, onDamaged }: RingIntakeOptions) {
    this.#recorder = recorder;
    this.#layouts = layouts;
    this.#writers = layouts.map(({ table }) => recorder.table(table));
    this.#normalisers = layouts.map(({ table }) => normaliser.of(table));
    this.#isCritical = layouts.map(({ critical }) => critical);
    this.#logged = new Map(
      layouts.flatMap(({ table }, number) => (this.#writers[number]!.isLogged ? [[table, number]] : [])),
    );
    this.#onDamaged = onDamaged;
    recorder.addSource(this);
    let since = Date.now();
    recorder.watchGaps(() => {
      const from = since;
      since = Date.now();
      return this.#refusedSince(from);
    });
    const numbers = new Map(layouts.map(({ table }, number) => [table, number]));
    recorder.watchRings({
      sign: () => {
        const consumers = this.#rings.map(({ consumer }) => consumer);
        const filled = Math.max(0, ...consumers.map(({ waiting }) => waiting / openShare));
        const waiting = Math.max(0, ...consumers.map(({ usage }) => usage / WAIT_SHARE));
        return { filled: Math.min(1, filled), waiting: Math.min(1, waiting) };
      },
      refusedOf: (table) => {
        const number = numbers.get(table);
        if (number === undefined) return 0;
        return this.#rings.reduce((sum, { consumer }) => sum + consumer.refused(number), 0);
      },
    });
  }

  /** Takes rows of this ring, too, from where its last consumer stopped. */
  add(ring: SharedArrayBuffer): void {
    const found = this.#recorder.loggedPositions(RingMemory.attach(ring).producer);
    const logged = new Map([...this.#logged].map(([name, table]) => [table, Number(found.get(name) ?? -1)]));
    const consumer = new RingConsumer(ring, this.#layouts, { logged, onDamaged: this.#onDamaged });
    this.#rings.push(new LoggedRing(consumer, this.#logged));
  }

  /** Rows that went to files so far because their rings were full. */
  get appended(): number {
    return this.#rings.reduce((sum, { consumer }) => sum + consumer.appended, 0);
  }

  /** Rows of a table without a log that were ever taken from these rings, by whichever thread; by its number among the layouts. */
  handed(number: number): number {
    return this.#rings.reduce((sum, { consumer }) => sum + consumer.handed(number), 0);
  }

  /** Takes a turn's rows from each ring; gives how many. */
  turn(): number {
    if (this.#letters > LETTERS_MAX) return 0;
    let rows = 0;
    for (const ring of this.#rings) {
      this.#turn = ring;
      this.#canWait = ring.consumer.usage < WAIT_SHARE;
      this.#criticalWaits = false;
      rows += ring.consumer.drain(TURN_ROWS, this.#take);
      ring.free(this.#recorder.isSynced);
    }
    return rows;
  }

  /** Tells, again and again, whether all rows that the rings hold now have been taken. */
  mark(): () => boolean {
    const marks = this.#rings.map(({ consumer }) => ({ consumer, mark: consumer.mark() }));
    return () => marks.every(({ consumer, mark }) => consumer.hasPassed(mark));
  }

  /** The same for the rows of logged tables alone, which go past others that wait while ClickHouse is away. */
  markLogged(): () => boolean {
    const marks = this.#rings.map(({ consumer }) => ({ consumer, mark: consumer.mark() }));
    return () => marks.every(({ consumer, mark }) => consumer.hasTakenLogged(mark));
  }

  /** Resolves when the rows refused so far are in the dead letters. */
  async settled(): Promise<void> {
    await this.#refused;
  }

  cut(): SourceCut {
    const cuts = this.#rings.map((ring) => ring.cut());
    return {
      // Else the position of a later row would pass over one that was refused, and is nowhere yet.
      ready: this.#letters > 0 ? this.settled() : undefined,
      positionsOf: (table) => cuts.flatMap((cut) => cut.positionsOf(table)),
      synced: () => {
        for (const cut of cuts) cut.synced();
      },
    };
  }

  /** Rows that producers could not record since then, Unix milliseconds. */
  *#refusedSince(since: number): Generator<Omit<Gap, "level">> {
    const span = { from: nanosOf(since), to: nanosOf(Date.now()) };
    for (const [number, { table }] of this.#layouts.entries())
      for (const { consumer } of this.#rings) {
        for (const [why, reason] of REFUSALS) {
          const rows = consumer.takeRefused(number, why);
          if (rows === 0) continue;
          // Not before: whoever comes after this thread would take them for told.
          const onTold = (): void => consumer.toldRefused(number, why, rows);
          yield { table, reason, rows, ...span, onTold };
        }
      }
  }

  readonly #take = (table: number, row: Record<string, unknown>, position: number): boolean => {
    const writer = this.#writers[table]!;
    const isCritical = this.#isCritical[table]!;
    if (isCritical) {
      // None overtakes another, for what an order said completes its fill.
      this.#criticalWaits ||= !writer.makeRoom();
      if (this.#criticalWaits) return false;
      // Nobody would tell of a row that is refused here: if all that could go is with the sink, it waits as well.
    } else if (writer.full && (this.#canWait || !writer.makeRoom())) return false;
    const normaliser = this.#normalisers[table]!;
    try {
      normaliser.normalise(row);
      if (writer.offer(row) !== undefined) normaliser.taken(row);
      if (writer.isLogged) this.#turn.taken();
    } catch (error) {
      const letter = writer.rejected(rowText(row), error);
      this.#letters += 1;
      const written = letter.then(() => {
        this.#letters -= 1;
      });
      this.#refused = Promise.all([this.#refused, written]);
      if (writer.isLogged) this.#turn.refused(position, written);
    }
    return true;
  };
}

function nanosOf(wallMs: number): bigint {
  return BigInt(wallMs) * 1_000_000n;
}
