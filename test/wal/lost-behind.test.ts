import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as breathe } from "node:timers/promises";
import type { SeqSpan } from "../../src/buffer/batch.js";
import { EventWindow } from "../../src/buffer/event-window.js";
import { MemoryBudget } from "../../src/buffer/memory-budget.js";
import type { Taken } from "../../src/buffer/row-buffer.js";
import { BlockBuilder } from "../../src/native/block.js";
import { BatchHistories } from "../../src/wal/batch-histories.js";
import { Commits } from "../../src/wal/commits.js";
import { LogJournal } from "../../src/wal/log-journal.js";
import type { ReadRequest, ReadResult } from "../../src/wal/log-reader.js";
import { LoggedBuffer } from "../../src/wal/logged-buffer.js";
import { type IndexEntry, sealChecksum } from "../../src/wal/records.js";
import { RowFates } from "../../src/wal/row-fates.js";
import { SealedBatches } from "../../src/wal/sealed-batches.js";
import { WaitingBytes } from "../../src/wal/waiting-bytes.js";
import { DAILY, YEAR_MS } from "../buffer/fixture.js";
import { ManualClock } from "../support/clock.js";
import { type Random, seeded, seeds } from "../support/random.js";
import { rows } from "./sample.js";

const RUN = 7n;
const FRAMES = 12;
const ROWS = 10 * FRAMES;
const place = { segment: 1, offset: 0, length: 1 };

/** Frames 3 to 5 went out as one batch, which was split. */
const SEALED = [3, 4, 5].map((frame) => ({ firstSeq: 10 * frame + 1, count: 10 }));
const seal = { kind: "seal", table: "t", partition: "p", run: RUN, generation: 0 } as const;
const MARKS: readonly IndexEntry[] = [
  { ...seal, batch: "1", rows: 30, frames: SEALED, checksum: sealChecksum(SEALED) } as const,
  { kind: "split", table: "t", run: RUN, parent: "1", children: ["1.0-15", "1.15-30"] } as const,
].map((record, at) => ({ ordinal: FRAMES + 1 + at, place, record }));

const COLUMNS = ["recorder String", "run UInt64", "seq UInt64"].map((column) => {
  const [name, type] = column.split(" ") as [string, string];
  return { name, type, required: true };
});

function block({ firstSeq, count }: SeqSpan): Uint8Array {
  const builder = new BlockBuilder(COLUMNS);
  for (let row = 0; row < count; row += 1)
    builder.append({ recorder: "r", run: RUN, seq: BigInt(firstSeq + row) }, {});
  return builder.encode();
}

/** An earlier start's log of a table, what of it ClickHouse has, and the batches on their way there. */
class Scene {
  readonly #random: Random;
  readonly #there = new Set<number>();
  readonly #underWay: { readonly open: Taken; readonly rows: readonly number[] }[] = [];
  readonly #fates = new RowFates("t", () => {});
  readonly #reads: (() => void)[] = [];
  readonly #buffer: LoggedBuffer;
  readonly #journal: LogJournal;
  readonly #frames = Array.from({ length: FRAMES }, (_, at) => ({
    ordinal: at + 1,
    place,
    record: rows(10 * at + 1, 10, { table: "t" }),
  }));

  constructor(random: Random) {
    this.#random = random;
    const clock = new ManualClock();
    const log = { append: () => assert.fail("nothing is logged") };
    this.#journal = new LogJournal(log.append, this.#fates, new BatchHistories("t", MARKS));
    this.#buffer = new LoggedBuffer({
      table: DAILY,
      identity: { env: "test", recorder: "r", run: 8n },
      flush: { rows: 20, bytes: 2 ** 20, age: 20 },
      queueRows: 1000,
      window: new EventWindow({ past: YEAR_MS, future: YEAR_MS }, clock),
      budget: new MemoryBudget(2 ** 24),
      clock,
      commits: new Commits({ log, delayMs: 2, clock }),
      fates: this.#fates,
      reader: { next: (request) => this.#read(request) },
      waiting: new WaitingBytes(2 ** 20),
      refusing: () => undefined,
      sealed: new SealedBatches("t", MARKS),
      inherited: { after: 0, to: FRAMES, since: 0, runs: [{ run: RUN, ranges: [{ first: 1, last: ROWS }] }] },
      onDue: () => {},
      onSynced: () => {},
      onUnreadable: (message) => assert.fail(message),
      onMissing: () => assert.fail("nothing is missing"),
      onGivenUp: () => assert.fail("nothing is given up"),
    });
    // Stored out of turn: whole frames, and a half of the batch that was split.
    this.#store([61, 62, 63, 64, 65, 66, 67, 68, 69, 70].concat(range(81, 100), range(31, 45)));
    this.#buffer.start();
  }

  get isStored(): boolean {
    return this.#there.size === ROWS && this.#underWay.length === 0 && this.#reads.length === 0;
  }

  answer(): void {
    this.#reads.shift()?.();
  }

  take(): void {
    if (!this.#buffer.hasDue) return;
    const { open, batch } = this.#buffer.take()!;
    const spans = this.#journal.open(batch).flatMap(({ frames }) => frames);
    const own = spans.flatMap(({ firstSeq, count }) => range(firstSeq, firstSeq + count - 1));
    for (const row of own) {
      assert(!this.#there.has(row), `row ${row} is stored, and sent again`);
      assert(!this.#underWay.some((other) => other.rows.includes(row)), `row ${row} goes two ways`);
    }
    this.#underWay.push({ open, rows: own });
  }

  settle(): void {
    if (this.#underWay.length === 0) return;
    const [done] = this.#underWay.splice(this.#random.below(this.#underWay.length), 1);
    this.#store(done!.rows);
    done!.open.ticket.settle();
    this.#buffer.release(done!.open);
  }

  /** ClickHouse loses some rows that lie side by side, and it is noticed. */
  lose(): void {
    const first = 1 + this.#random.below(ROWS);
    const last = Math.min(ROWS, first + this.#random.below(25));
    for (const each of this.#fates.storedOf(RUN, first, last)) {
      for (const row of range(each.first, each.last)) this.#there.delete(row);
      this.#fates.lost(RUN, [each]);
      this.#buffer.lost(RUN, [each]);
    }
  }

  offerAll(): void {
    this.#buffer.offerAll();
  }

  #store(stored: readonly number[]): void {
    for (const row of stored) {
      this.#there.add(row);
      this.#fates.stored(RUN, [{ firstSeq: row, count: 1 }]);
    }
  }

  /** Answers when the test says so, with what was wanted when it was asked. */
  #read({ after, upTo, wanted }: ReadRequest): Promise<ReadResult> {
    const behind = this.#frames.filter(({ ordinal }) => ordinal > after && ordinal <= upTo);
    const some = behind.slice(0, 1 + this.#random.below(4));
    const frames = some.filter(wanted).map((entry) => ({ entry, payload: block(entry.record) }));
    const lastOrdinal = some.length === behind.length ? upTo : some.at(-1)!.ordinal;
    return new Promise((resolve) => this.#reads.push(() => resolve({ frames, lastOrdinal })));
  }
}

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, at) => first + at);
}

for (const seed of seeds(40)) {
  test(`rows that ClickHouse loses while a backlog is read back each go one way (seed ${seed})`, async () => {
    const random = seeded(seed);
    const scene = new Scene(random);
    for (let step = 0; step < 60; step += 1) {
      random.of([
        () => scene.answer(),
        () => scene.take(),
        () => scene.settle(),
        () => scene.lose(),
        () => scene.offerAll(),
      ])();
      if (random.below(2) === 0) await breathe();
    }
    for (let left = 500; !scene.isStored; left -= 1) {
      assert(left > 0, "a row is never stored");
      scene.answer();
      await breathe();
      scene.offerAll();
      scene.take();
      scene.settle();
    }
  });
}
