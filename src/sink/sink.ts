import { setMaxListeners } from "node:events";
import { type Clock, within } from "../base/clock.js";
import { ColdpathError } from "../base/errors.js";
import { SECOND_MS } from "../base/units.js";
import type { Batch } from "../buffer/batch.js";
import { type Journal, NO_JOURNAL } from "../buffer/journal.js";
import type { MemoryBudget } from "../buffer/memory-budget.js";
import type { RowBuffer } from "../buffer/row-buffer.js";
import type { Identity } from "../buffer/stamp.js";
import type { ClickHouse, Settings } from "../clickhouse/client.js";
import type { ByteBuffer } from "../native/byte-buffer.js";
import type { Table } from "../schemas/table.js";
import type { Pack } from "./compression.js";
import type { DeadLetters } from "./dead-letters.js";
import { Delivery, type DeliveryContext } from "./delivery.js";
import type { Report } from "./events.js";
import { Failback } from "./failback.js";
import { Fence } from "./fence.js";
import { InFlight } from "./in-flight.js";
import { Inquiry } from "./inquiry.js";
import { Inserter } from "./inserter.js";
import { Lane, type Outcome } from "./lane.js";
import type { Link } from "./link.js";
import { RequestDump } from "./request-dump.js";

export interface SinkOptions {
  readonly clickhouse: ClickHouse;
  /** This start of the recorder. */
  readonly identity: Identity;
  readonly link: Link;
  readonly pack: Pack;
  readonly budget: MemoryBudget;
  readonly deadLetters: DeadLetters;
  readonly dumpFolder: string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly report: Report;
  /** Requests under way at once, over all tables. */
  readonly inFlight: number;
  /** Milliseconds for one attempt. */
  readonly deadlineMs: number;
  /** Called when a batch is through and its memory is free. */
  readonly onSettled: () => void;
}

/** What was not stored when the sink was closed, in rows. */
export interface Left {
  /** Never sent. */
  readonly unsent: number;
  /** Sent, and no answer that can be believed. */
  readonly unconfirmed: number;
}

/** What was left is brought to disk even if there is no time left: that takes no longer than the disk does. */
const KEEP_MS: number = SECOND_MS;
const QUESTION_DEADLINE_MS: number = 10 * SECOND_MS;

/**
 * Carries batches of all tables into ClickHouse, a few at a time. Batches may overtake each other: every row has its
 * number, and asking works on disjoint ranges of numbers (`docs/internals/sink.md`).
 */
export class Sink {
  readonly #options: SinkOptions;
  readonly #lanes: Lane[] = [];
  readonly #closing = new AbortController();
  /** Requests that may be under way now: a server that has just come back gets one to begin with. */
  readonly #most: () => number;
  readonly #inFlight: InFlight;
  readonly #context: DeliveryContext;
  readonly #running = new Set<Promise<void>>();
  readonly #left = new Map<Lane, { unsent: number; unconfirmed: number }>();
  readonly #spareBuffers: ByteBuffer[] = [];
  readonly #failback: Failback;
  #nextLane = 0;
  #isWoken = false;

  constructor(options: SinkOptions) {
    this.#options = options;
    const { clickhouse, identity, link, clock, random, report, deadLetters } = options;
    // Every delivery that waits listens to it, of many tables at once.
    setMaxListeners(0, this.#closing.signal);
    this.#most = () => (link.state === "recovering" ? 1 : options.inFlight);
    this.#inFlight = new InFlight(this.#most);
    this.#failback = new Failback({
      clickhouse,
      link,
      inFlight: this.#inFlight,
      clock,
      signal: this.#closing.signal,
    });
    this.#context = {
      run: identity.run,
      endpoints: clickhouse.endpoints,
      link,
      inFlight: this.#inFlight,
      fence: new Fence({ clickhouse, clock, deadlineMs: QUESTION_DEADLINE_MS }),
      inquiry: new Inquiry({ clickhouse, deadlineMs: QUESTION_DEADLINE_MS }),
      deadLetters,
      dump: new RequestDump(options.dumpFolder, report),
      clock,
      random,
      report,
      signal: this.#closing.signal,
    };
  }

  /**
   * A lane for one more table, inserted with `settings`. Its buffer calls {@link wake} when a batch is due; `journal` is told what
   * becomes of its batches.
   */
  addLane(table: Table, buffer: RowBuffer, settings: () => Settings, journal: Journal = NO_JOURNAL): Lane {
    const inserter = new Inserter(table, { ...this.#options, settings, spare: this.#spareBuffers });
    const lane = new Lane(
      { table, buffer, inserter, journal },
      {
        clock: this.#options.clock,
        report: this.#options.report,
        onFree: () => this.wake(),
      },
    );
    this.#lanes.push(lane);
    return lane;
  }

  /** The recorder is open, and may have found the preferred endpoint away. */
  start(): void {
    this.#failback.look();
  }

  /** Looks for batches to send, once what runs now is through: a batch that just became due may grow until then. */
  wake(): void {
    this.#failback.look();
    this.#inFlight.wake();
    if (this.#isWoken) return;
    this.#isWoken = true;
    setImmediate(() => {
      this.#isWoken = false;
      this.#begin();
    });
  }

  /**
   * Gives what is under way and waiting until the deadline, then leaves the rest.
   * @returns what was left, by table
   */
  async close(deadlineMs: number): Promise<Map<string, Left>> {
    for (const { buffer } of this.#lanes) {
      buffer.offerAll();
      buffer.close();
    }
    const { clock } = this.#options;
    const endsAt = clock.monotonic() + deadlineMs;
    const drained = Promise.all(this.#lanes.map((lane) => lane.buffer.settled()));
    await within(clock, deadlineMs, drained);
    this.#closing.abort(new ColdpathError("DEADLINE", "the recorder closes"));
    this.#options.link.close();
    await Promise.all(this.#running);
    const keepMs = Math.max(KEEP_MS, endsAt - clock.monotonic());
    await Promise.all(this.#lanes.map(({ buffer }) => buffer.keep(keepMs)));
    return new Map(this.#lanes.map((lane) => [lane.table.name, this.#leave(lane)]));
  }

  #begin(): void {
    const { link } = this.#options;
    // Deliveries in trouble wait most of the time, and those that wait for a log's disk must not hold up other tables; their requests
    // wait their turn like all others.
    const busy = (): number => this.#running.size - this.#lanes.reduce((sum, lane) => sum + lane.waiting, 0);
    while (!this.#closing.signal.aborted && link.state !== "down" && busy() < this.#most()) {
      const lane = this.#takeTurn();
      if (lane === undefined) return;
      this.#deliver(lane);
    }
  }

  /** The next lane that has something to send, each in its turn. */
  #takeTurn(): Lane | undefined {
    for (let tried = 0; tried < this.#lanes.length; tried += 1) {
      const lane = this.#lanes[this.#nextLane % this.#lanes.length]!;
      this.#nextLane += 1;
      if (lane.ready) return lane;
    }
    return undefined;
  }

  #deliver(lane: Lane): void {
    const { open, batch } = lane.buffer.take()!;
    const outcome: Outcome = { stored: 0, deadLettered: 0, unsent: 0, unconfirmed: 0 };
    const running = this.#settle(lane.journal.open(batch), lane, outcome).then(() => {
      this.#running.delete(running);
      const left = this.#leftOf(lane);
      left.unsent += outcome.unsent;
      left.unconfirmed += outcome.unconfirmed;
      lane.finish(open, outcome);
      this.#options.onSettled();
      this.wake();
    });
    this.#running.add(running);
  }

  /** What an earlier start had to split goes one after the other, as halves do. */
  async #settle(batches: readonly Batch[], lane: Lane, outcome: Outcome): Promise<void> {
    for (const batch of batches) await new Delivery(batch, lane, this.#context, outcome).run();
  }

  /** Whatever the lane still holds was never sent. */
  #leave(lane: Lane): Left {
    const left = this.#leftOf(lane);
    for (let open = lane.buffer.takeOldest(); open !== undefined; open = lane.buffer.takeOldest()) {
      left.unsent += open.rows;
      lane.finish(open, { stored: 0, deadLettered: 0, unsent: open.rows, unconfirmed: 0 });
    }
    return left;
  }

  #leftOf(lane: Lane): { unsent: number; unconfirmed: number } {
    const left = this.#left.get(lane) ?? { unsent: 0, unconfirmed: 0 };
    this.#left.set(lane, left);
    return left;
  }
}
