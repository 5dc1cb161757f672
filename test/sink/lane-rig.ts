import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type { Batch } from "../../src/buffer/batch.js";
import { EventWindow } from "../../src/buffer/event-window.js";
import type { Journal } from "../../src/buffer/journal.js";
import { MemoryBudget } from "../../src/buffer/memory-budget.js";
import { TableBuffer } from "../../src/buffer/table-buffer.js";
import { ClickHouse } from "../../src/clickhouse/client.js";
import { readTable } from "../../src/schemas/introspect.js";
import { packerFor } from "../../src/sink/compression.js";
import type { DeadLetter } from "../../src/sink/dead-letter.js";
import { DeadLetters } from "../../src/sink/dead-letters.js";
import type { RecorderEvent } from "../../src/sink/events.js";
import { readInsertSettings } from "../../src/sink/insert-settings.js";
import { Link } from "../../src/sink/link.js";
import { Sink } from "../../src/sink/sink.js";
import { HastyClock } from "../support/clock.js";
import { temporaryFolder } from "../support/folder.js";
import { type Context, createTable, NOON, type Rig } from "./rig.js";

/** A sink with one table and a journal that the test sees: what a recorder puts together, without the recorder. */
export interface LaneRig {
  readonly name: string;
  readonly events: RecorderEvent[];
  /** Takes a row with each id into one batch. */
  offer(ids: Iterable<number>): void;
  /** Resolves once the fate of all rows is known. */
  settled(): Promise<void>;
  /** Ids in the table with how many times, by plain SQL past the proxy. */
  stored(): Promise<Map<number, number>>;
  letters(): Promise<DeadLetter[]>;
}

interface LaneOptions {
  readonly journal: Journal;
  /** More SQL between the columns and the end of the column list. */
  readonly columns?: string;
}

export async function openLane(t: Context, rig: Rig, { journal, ...shape }: LaneOptions): Promise<LaneRig> {
  const name = `t_${randomBytes(4).toString("hex")}`;
  await createTable(rig.direct, name, shape);
  const { user, password } = rig.engine;
  const clickhouse = new ClickHouse({ url: rig.proxy.url, user, password, database: "default" });
  const table = await readTable(clickhouse, name);
  const clock = new HastyClock();
  const events: RecorderEvent[] = [];
  const report = (event: RecorderEvent): void => void events.push(event);
  const identity = { env: "test", recorder: "rig", run: randomBytes(8).readBigUInt64LE() };
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
  const buffer = new TableBuffer({
    table,
    flush: { rows: 1000, bytes: 2 ** 20, age: 60_000 },
    queueRows: 100_000,
    identity,
    window: new EventWindow({ past: 1e13, future: 0 }, clock),
    budget,
    clock,
    onDue: () => sink.wake(),
  });
  sink.addLane(table, buffer, await readInsertSettings(clickhouse), journal);
  t.after(async () => {
    await sink.close(0);
    await deadLetters.close();
    await clickhouse.close();
  });
  return {
    name,
    events,
    offer(ids) {
      for (const id of ids) buffer.append({ ts: NOON, id }, undefined);
      buffer.offerAll();
    },
    async settled() {
      await buffer.settled();
    },
    async stored() {
      const rows = await rig.direct.rows<{ id: string; n: string }>(
        `SELECT id, count() AS n FROM ${name} GROUP BY id ORDER BY id`,
      );
      return new Map(rows.map(({ id, n }) => [Number(id), Number(n)]));
    },
    async letters() {
      const letters: DeadLetter[] = [];
      for await (const letter of deadLetters.list()) letters.push(letter);
      return letters;
    },
  };
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
