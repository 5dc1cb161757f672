import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type { Clock } from "../../src/base/clock.js";
import { Batch, type SeqSpan } from "../../src/buffer/batch.js";
import { EventWindow } from "../../src/buffer/event-window.js";
import type { Journal } from "../../src/buffer/journal.js";
import { MemoryBudget } from "../../src/buffer/memory-budget.js";
import type { Taken } from "../../src/buffer/row-buffer.js";
import { sentColumns } from "../../src/buffer/stamp.js";
import { TableBuffer } from "../../src/buffer/table-buffer.js";
import { ClickHouse } from "../../src/clickhouse/client.js";
import { BlockBuilder } from "../../src/native/block.js";
import { readTable } from "../../src/schemas/introspect.js";
import type { Table } from "../../src/schemas/table.js";
import { packerFor } from "../../src/sink/compression.js";
import type { DeadLetter } from "../../src/sink/dead-letter.js";
import { DeadLetters } from "../../src/sink/dead-letters.js";
import type { RecorderEvent } from "../../src/sink/events.js";
import { readInsertSettings } from "../../src/sink/insert-settings.js";
import type { LaneStats } from "../../src/sink/lane.js";
import { Link } from "../../src/sink/link.js";
import { Sink } from "../../src/sink/sink.js";
import { HastyClock } from "../support/clock.js";
import { temporaryFolder } from "../support/folder.js";
import { type Context, createTable, NOON, type Rig } from "./rig.js";

/** A sink with one table and a journal that the test sees: what a recorder puts together, without the recorder. */
export interface LaneRig {
  readonly name: string;
  readonly run: bigint;
  readonly events: RecorderEvent[];
  /** Takes a row with each id into one batch of this start. */
  offer(ids: Iterable<number>): void;
  /** Has the sink take a batch of rows that are in a log; the id of each row is its seq. */
  give(logged: Logged): void;
  /** Resolves once the fate of all rows is known. */
  settled(): Promise<void>;
  /** Ids in the table with how many times, by plain SQL past the proxy. */
  stored(): Promise<Record<string, number>>;
  letters(): Promise<DeadLetter[]>;
  stats(): LaneStats;
  close(): Promise<void>;
}

/** A batch from a log. */
export interface Logged {
  readonly run: bigint;
  readonly number: number;
  readonly frames: readonly SeqSpan[];
  readonly inherited: boolean;
  readonly sealed?: number;
  /** Only the rows [from, to) of all frames: what a batch was split into. */
  readonly part?: readonly [from: number, to: number];
  /** Columns of the table that the rows do not have, as they are older. */
  readonly without?: readonly string[];
}

interface LaneOptions {
  readonly journal: Journal;
  /** A table that is there. */
  readonly name?: string;
  readonly run?: bigint;
  /** More SQL between the columns and the end of the column list. */
  readonly columns?: string;
  readonly clock?: Clock;
}

export async function openLane(t: Context, rig: Rig, options: LaneOptions): Promise<LaneRig> {
  const { journal, name = `t_${randomBytes(4).toString("hex")}`, clock = new HastyClock() } = options;
  if (options.name === undefined) await createTable(rig.direct, name, options);
  const { user, password } = rig.engine;
  const url = rig.proxies.map((each) => each.url);
  const clickhouse = new ClickHouse({ url, user, password, database: "default" });
  const table = await readTable(clickhouse, name);
  const events: RecorderEvent[] = [];
  const report = (event: RecorderEvent): void => void events.push(event);
  const identity = { env: "test", recorder: "rig", run: options.run ?? randomRun() };
  const budget = new MemoryBudget(2 ** 26);
  const folder = join(await temporaryFolder(t), "dead-letters");
  const deadLetters = await DeadLetters.open(folder, identity.run, () => {});
  const shared = { clickhouse, clock, random: Math.random, budget };
  const link = new Link({ ...shared, report }, await clickhouse.connect());
  const sink = new Sink({
    ...shared,
    report,
    identity,
    link,
    deadLetters,
    pack: await packerFor("auto", clickhouse.endpoints),
    dumpFolder: join(folder, "requests"),
    inFlight: 2,
    deadlineMs: 30_000,
    onSettled: () => {},
  });
  const buffer = new FedBuffer({
    table,
    flush: { rows: 1000, bytes: 2 ** 20, age: 60_000 },
    queueRows: 100_000,
    identity,
    window: new EventWindow({ past: 1e13, future: 0 }, clock),
    budget,
    clock,
    onDue: () => sink.wake(),
  });
  const settings = await readInsertSettings(clickhouse);
  const lane = sink.addLane(table, buffer, () => settings, journal);
  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    await sink.close(0);
    await deadLetters.close();
    await clickhouse.close();
  };
  t.after(() => (closing ??= close()));
  return {
    name,
    run: identity.run,
    events,
    offer(ids) {
      for (const id of ids) buffer.append({ ts: NOON, id }, undefined);
      buffer.offerAll();
    },
    give(logged) {
      buffer.give(batchOf(table, logged));
      sink.wake();
    },
    settled: () => buffer.settled(),
    async stored() {
      const rows = await rig.direct.rows<{ id: string; n: string }>(
        `SELECT id, count() AS n FROM ${name} GROUP BY id ORDER BY id`,
      );
      return Object.fromEntries(rows.map(({ id, n }) => [id, Number(n)]));
    },
    async letters() {
      const letters: DeadLetter[] = [];
      for await (const letter of deadLetters.list()) letters.push(letter);
      return letters;
    },
    stats: () => lane.stats(),
    close: () => (closing ??= close()),
  };
}

/** 64 random bits, as each start draws them. */
function randomRun(): bigint {
  return randomBytes(8).readBigUInt64LE();
}

/** What {@link LaneRig.stored} gives if these ids are stored once. */
export function once(...ids: readonly number[]): Record<string, number> {
  return Object.fromEntries(ids.map((id) => [id, 1]));
}

function batchOf(table: Table, logged: Logged): Batch {
  const { run, frames, inherited, number, sealed, without = [] } = logged;
  const columns = sentColumns(table).filter(({ name }) => !without.includes(name));
  const builder = new BlockBuilder(columns);
  for (const { firstSeq, count } of frames)
    for (let seq = firstSeq; seq < firstSeq + count; seq += 1)
      builder.append({ ts: NOON, id: seq }, { env: "test", recorder: "rig", run, seq });
  const partition = { key: "2024-08-08", from: -Infinity, to: Infinity };
  const place = { table, partition, number, openedAt: 0, frames, inherited, sealed };
  return new Batch(place, builder, ...(logged.part ?? [0, builder.rows]));
}

/** A buffer that also hands out batches which the test made. */
class FedBuffer extends TableBuffer {
  readonly #given: { open: Taken; batch: Batch }[] = [];
  readonly #through: Promise<void>[] = [];

  give(batch: Batch): void {
    let settle: () => void = () => {};
    this.#through.push(
      new Promise((resolve) => {
        settle = resolve;
      }),
    );
    this.#given.push({ open: { rows: batch.rows, ticket: { settle } }, batch });
  }

  override get hasDue(): boolean {
    return this.#given.length > 0 || super.hasDue;
  }

  override take(): ReturnType<TableBuffer["take"]> {
    const given = this.#given.shift();
    return given === undefined ? super.take() : (given as ReturnType<TableBuffer["take"]>);
  }

  override release(open: Parameters<TableBuffer["release"]>[0]): void {
    if ("builder" in open) super.release(open);
  }

  override settle(rows: number): void {
    if (this.pendingRows > 0) super.settle(rows);
  }

  override async settled(): Promise<void> {
    await Promise.all([super.settled(), ...this.#through]);
  }
}

/** A journal that writes down what it is told, beside what else the test writes into `story`; `fails` says when it cannot. */
export class StoryJournal implements Journal {
  readonly story: string[] = [];
  /** So many calls fail before the next one works. */
  failures = 0;

  open(batch: Batch): readonly Batch[] {
    return [batch];
  }

  async seal({ name }: Batch, generation: number): Promise<void> {
    await this.#write(`seal ${name}/${generation}`);
  }

  async split({ name }: Batch, [left, right]: readonly [Batch, Batch]): Promise<void> {
    await this.#write(`split ${name} ${left.name} ${right.name}`);
  }

  async skip({ name }: Batch): Promise<void> {
    await this.#write(`skip ${name}`);
  }

  stored({ name }: Batch): void {
    this.story.push(`stored ${name}`);
  }

  async #write(line: string): Promise<void> {
    // As a disk that takes its time: whoever does not wait is found out.
    await new Promise((resolve) => setTimeout(resolve, 5));
    if (this.failures > 0) {
      this.failures -= 1;
      this.story.push(`failed ${line}`);
      throw new Error("no space left on device");
    }
    this.story.push(line);
  }
}
