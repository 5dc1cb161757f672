import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { after, type TestContext, test } from "node:test";
import { ClickHouse } from "../../src/clickhouse/client.js";
import { readTable } from "../../src/schemas/introspect.js";
import { Link } from "../../src/sink/link.js";
import { StoredCounter } from "../../src/sink/stored-counter.js";
import { keeperOf } from "../../src/wal/carry-rule.js";
import { nodeDisk } from "../../src/wal/disk.js";
import { KeptSegments } from "../../src/wal/kept-segments.js";
import { Log } from "../../src/wal/log.js";
import { OpenMarks } from "../../src/wal/open-marks.js";
import { type LogRecord, sealChecksum } from "../../src/wal/records.js";
import { RowFates } from "../../src/wal/row-fates.js";
import { SegmentRemover } from "../../src/wal/segment-remover.js";
import type { TrimEvent } from "../../src/wal/trim-event.js";
import { Trimmer } from "../../src/wal/trimmer.js";
import { createTable, startRig } from "../sink/rig.js";
import { ManualClock } from "../support/clock.js";
import { temporaryFolder } from "../support/folder.js";

const rig = await startRig({ after });
const { engine, direct, proxy } = rig;

const KEEP_MS = 300_000;
const DAY = "2024-08-08";

/** A log on a real disk, with a trimmer that asks a real engine. */
class TrimmedLog {
  readonly run: bigint = randomBytes(8).readBigUInt64LE();
  readonly clock = new ManualClock();
  readonly events: TrimEvent[] = [];
  /** Rows that were handed back, `table first-last`. */
  readonly lost: string[] = [];
  readonly fates = new Map<string, RowFates>();
  readonly tables: readonly string[];
  readonly dir: string;
  log!: Log;
  trimmer!: Trimmer;
  isPressed = false;
  /** What removing a segment fails with. */
  trouble: Error | undefined;
  answeredUpTo = 0;
  readonly #counter: StoredCounter;
  #segments!: KeptSegments;
  #marks!: OpenMarks;
  readonly #nextSeq = new Map<string, number>();

  static async open(t: TestContext, tableCount = 1): Promise<TrimmedLog> {
    const { user, password } = engine;
    const clickhouse = new ClickHouse({ url: proxy.url, user, password, database: "default" });
    const tables: string[] = [];
    for (let each = 0; each < tableCount; each += 1) {
      tables.push(`t_${randomBytes(4).toString("hex")}`);
      await createTable(direct, tables.at(-1)!, {});
    }
    const known = await Promise.all(tables.map((table) => readTable(clickhouse, table)));
    const clock = new ManualClock();
    const link = new Link(
      { clickhouse, clock, random: Math.random, report: () => {} },
      await clickhouse.connect(),
    );
    const counter = new StoredCounter({ clickhouse, link, tables: known, deadlineMs: 10_000 });
    const trimmed = new TrimmedLog(await temporaryFolder(t), tables, counter);
    trimmed.start();
    t.after(async () => {
      await trimmed.trimmer.close();
      counter.close();
      await clickhouse.close();
    });
    return trimmed;
  }

  private constructor(dir: string, tables: readonly string[], counter: StoredCounter) {
    this.dir = dir;
    this.tables = tables;
    this.#counter = counter;
    for (const table of tables) this.fates.set(table, new RowFates(table, () => {}));
  }

  /** As a start of the recorder does. */
  start(): void {
    const { log, recovered } = Log.open({
      dir: this.dir,
      segmentBytes: 20_000,
      disk: nodeDisk,
      now: () => Date.now(),
      reserveBytes: 0,
    });
    this.log = log;
    this.#segments = new KeptSegments(recovered.segments);
    this.#marks = new OpenMarks(recovered.marks, (table, run, rows) =>
      rows.every(({ firstSeq: first, count }) =>
        this.fates.get(table)!.isKnown(run, { firstSeq: first, count }),
      ),
    );
    this.trimmer = new Trimmer({
      clock: this.clock,
      lookMs: 1000,
      keepAckedMs: KEEP_MS,
      isPressed: () => this.isPressed,
      segments: this.#segments,
      remover: new SegmentRemover({
        segments: this.#segments,
        marks: this.#marks,
        unknown: (table, run, first, last) => this.fates.get(table)!.unknown(run, first, last),
        answeredUpTo: () => this.answeredUpTo,
        unlink: async (segment) => {
          if (this.trouble !== undefined) throw this.trouble;
          this.log.unlink(segment);
        },
        carry: async (segment, rule) => this.log.carry(segment, keeperOf(rule)),
      }),
      fatesOf: (table) => this.fates.get(table)!,
      stored: this.#counter,
      onLost: (table, _run, rows) =>
        this.lost.push(...rows.map(({ first, last }) => `${table} ${first}-${last}`)),
      report: (event) => this.events.push(event),
    });
  }

  restart(): void {
    this.log.close();
    this.start();
  }

  write(...records: LogRecord[]): void {
    for (const record of records) this.log.append(record);
    const committed = this.log.commit();
    this.#segments.committed(records, committed);
    this.#marks.committed(records, committed);
  }

  /** Logs a frame of ten rows under a seal of its own and gives its first seq. */
  frame(table: string = this.tables[0]!, group = 0n): number {
    const firstSeq = this.#nextSeq.get(table) ?? 1;
    this.#nextSeq.set(table, firstSeq + 10);
    const frames = [{ firstSeq, count: 10 }];
    const where = { table, partition: DAY, run: this.run };
    const payload = new Uint8Array(8000);
    this.write({ kind: "rows", ...where, ...frames[0]!, positions: [], group, payload });
    const batch = `${firstSeq}`;
    this.write({
      kind: "seal",
      ...where,
      ...{ batch, generation: 0, frames, rows: 10, checksum: sealChecksum(frames) },
    });
    return firstSeq;
  }

  /** Logs a frame of ten rows and the end of its group in one commit, as a keyed request is. */
  group(table: string, group: bigint): number {
    const firstSeq = this.#nextSeq.get(table) ?? 1;
    this.#nextSeq.set(table, firstSeq + 10);
    const where = { table, partition: DAY, run: this.run, firstSeq, count: 10 };
    this.write({ kind: "rows", ...where, positions: [], group, payload: new Uint8Array(4000) }, endOf(group));
    return firstSeq;
  }

  /** As {@link frame}, and its rows are in ClickHouse. */
  async storedFrame(table: string = this.tables[0]!): Promise<number> {
    const first = this.frame(table);
    await direct.command(
      `INSERT INTO ${table} (ts, id, env, recorder, run, seq)
       SELECT toDateTime64('${DAY} 12:00:00', 9, 'UTC'), number, 'test', 'rig', ${this.run}, number FROM numbers(${first}, 10)`,
    );
    this.fates.get(table)!.stored(this.run, [{ firstSeq: first, count: 10 }]);
    return first;
  }

  /** Looks, lets the time pass that rows are kept, and looks again. */
  async lookTwice(): Promise<void> {
    await this.trimmer.look();
    this.clock.advance(KEEP_MS);
    await this.trimmer.look();
  }

  /** Frames that a new start finds, `table first`, and its seals and group ends. */
  found(): { frames: string[]; marks: string[]; segments: number } {
    this.log.close();
    const { recovered } = Log.open({
      dir: this.dir,
      segmentBytes: 20_000,
      disk: nodeDisk,
      now: () => Date.now(),
      reserveBytes: 0,
    });
    const ranges = recovered.segments.flatMap(({ tables }) =>
      tables.flatMap(({ table, ranges: own }) => own.map(({ first, last }) => `${table} ${first}-${last}`)),
    );
    const marks = recovered.marks.map(({ record }) =>
      record.kind === "seal" ? `seal ${record.table} ${record.batch}` : record.kind,
    );
    return { frames: ranges, marks, segments: recovered.segments.length };
  }
}

/** Where the table's files are. */
async function pathOf(table: string): Promise<string> {
  const [row] = await direct.rows<{ path: string }>(
    `SELECT data_paths[1] AS path FROM system.tables WHERE name = '${table}'`,
  );
  return row!.path;
}

test("a segment goes once its rows have been stored for long enough, and those before and behind it stay", async (t) => {
  const log = await TrimmedLog.open(t);
  const [table] = log.tables;
  await log.storedFrame();
  await log.storedFrame();
  log.frame();
  log.frame();
  await log.storedFrame();
  await log.trimmer.look();
  log.clock.advance(KEEP_MS - 1);
  await log.trimmer.look();
  assert.deepEqual(readdirSync(log.dir).filter((name) => name.endsWith(".wal")).length, 3);
  log.clock.advance(1);
  await log.trimmer.look();
  assert.deepEqual(log.events, []);
  const { frames, marks } = log.found();
  assert.deepEqual(frames, [`${table} 21-40`, `${table} 41-50`]);
  assert.deepEqual(marks, [`seal ${table} 21`, `seal ${table} 31`, `seal ${table} 41`]);
});

test("rows that were given up are not waited for in ClickHouse", async (t) => {
  const log = await TrimmedLog.open(t);
  const first = log.frame();
  log.fates.get(log.tables[0]!)!.skipped(log.run, [{ firstSeq: first, count: 10 }]);
  await log.storedFrame();
  log.frame();
  await log.lookTwice();
  assert.deepEqual(log.found().frames, [`${log.tables[0]} 21-30`]);
});

test("ClickHouse lost what it stored last: those rows are handed back, and their segment stays", async (t) => {
  const log = await TrimmedLog.open(t);
  const [table] = log.tables;
  await log.storedFrame();
  await log.storedFrame();
  await log.trimmer.look();
  const path = await pathOf(table!);
  engine.kill();
  const newest = readdirSync(path)
    .filter((name) => /^\d{8}_/.test(name))
    .sort()
    .at(-1)!;
  rmSync(join(path, newest), { recursive: true });
  await engine.restart();
  await log.lookTwice();
  assert.deepEqual(log.lost, [`${table} 11-20`]);
  assert.deepEqual(
    log.events.map(({ kind }) => kind),
    ["wal_rows_lost"],
  );
  assert.deepEqual(log.fates.get(table!)!.storedOf(log.run, 1, 20), [{ first: 1, last: 10 }]);
  assert.deepEqual(log.found().frames, [`${table} 1-20`]);
});

test("what an earlier start knew to be stored is counted by the next one at once", async (t) => {
  const log = await TrimmedLog.open(t);
  const [table] = log.tables;
  await log.storedFrame();
  await log.storedFrame();
  log.fates.get(table!)!.stored(log.run, [{ firstSeq: 21, count: 10 }]);
  log.frame();
  log.restart();
  await log.trimmer.look();
  assert.deepEqual(log.lost, [`${table} 21-30`]);
});

test("rows that somebody removed while ClickHouse went on are told and not stored again", async (t) => {
  const log = await TrimmedLog.open(t);
  const [table] = log.tables;
  await log.storedFrame();
  await log.storedFrame();
  log.frame();
  await log.trimmer.look();
  await direct.command(`ALTER TABLE ${table} DELETE WHERE seq IN (3, 4) SETTINGS mutations_sync = 1`);
  log.clock.advance(KEEP_MS);
  await log.trimmer.look();
  assert.deepEqual(log.events, [
    { kind: "wal_rows_gone", table, run: log.run.toString(), firstSeq: 3, rows: 2 },
  ]);
  assert.deepEqual(log.lost, []);
  assert.deepEqual(log.found().frames, [`${table} 21-30`]);
});

test("while ClickHouse is away nothing goes; a segment that cannot be removed is told once and tried again", async (t) => {
  const log = await TrimmedLog.open(t);
  await log.storedFrame();
  await log.storedFrame();
  log.frame();
  await log.trimmer.look();
  log.clock.advance(KEEP_MS);
  await proxy.refuse();
  await log.trimmer.look();
  await proxy.accept();
  assert.deepEqual(log.events, []);
  log.trouble = new Error("the file system is read-only");
  await log.trimmer.look();
  await log.trimmer.look();
  assert.deepEqual(
    log.events.map(({ kind }) => kind),
    ["wal_not_trimmed"],
  );
  log.trouble = undefined;
  await log.trimmer.look();
  assert.deepEqual(log.found().frames, [`${log.tables[0]} 21-30`]);
});

test("a table that is not stored holds up nobody once the log is large: its frames move on with their seals", async (t) => {
  const log = await TrimmedLog.open(t, 2);
  const [orders, stuck] = log.tables;
  await log.storedFrame(orders);
  log.frame(stuck);
  await log.storedFrame(orders);
  log.frame(orders);
  await log.lookTwice();
  assert.equal(
    readdirSync(log.dir).filter((name) => name.endsWith(".wal")).length,
    2,
    "not before it is large",
  );
  log.isPressed = true;
  await log.lookTwice();
  const { frames, marks } = log.found();
  assert.deepEqual(frames, [`${orders} 11-30`, `${stuck} 1-10`]);
  assert.deepEqual(marks, [`seal ${stuck} 1`, `seal ${orders} 11`, `seal ${orders} 21`]);
});

test("an answer that is in no ledger, and the end of a group with rows to come, move on too", async (t) => {
  const log = await TrimmedLog.open(t);
  const first = log.frame(log.tables[0], 7n);
  log.write(endOf(7n));
  log.write(endOf(8n));
  log.answeredUpTo = 3;
  log.frame();
  log.frame();
  log.fates.get(log.tables[0]!)!.skipped(log.run, [{ firstSeq: 11, count: 20 }]);
  log.isPressed = true;
  await log.lookTwice();
  const { frames, marks } = log.found();
  assert.deepEqual(frames.filter((frame) => frame.endsWith(` ${first}-${first + 9}`)).length, 1);
  assert.deepEqual(marks.filter((mark) => mark === "group_end").length, 2);
});

function endOf(group: bigint): LogRecord {
  return {
    kind: "group_end",
    ...{ group, key: `k${group}`, bodyHash: "0".repeat(64), status: 200, answer: "{}", at: 0 },
  };
}

test("frames of a group keep their end however often they move, also when an earlier start logged them", async (t) => {
  const log = await TrimmedLog.open(t, 2);
  const [stuck, orders] = log.tables;
  log.group(stuck!, 7n);
  await log.storedFrame(orders);
  log.restart();
  log.answeredUpTo = Number.MAX_SAFE_INTEGER;
  log.isPressed = true;
  for (let round = 0; round < 3; round += 1) {
    await log.storedFrame(orders);
    await log.storedFrame(orders);
    await log.lookTwice();
  }
  const { frames, segments } = log.found();
  assert.ok(segments < 4, "the frames moved on");
  assert.ok(frames.includes(`${stuck} 1-10`), frames.join());
});

test("rows of a group that ClickHouse lost again keep the end of their group when they move", async (t) => {
  const log = await TrimmedLog.open(t, 2);
  const [stuck, orders] = log.tables;
  log.group(stuck!, 7n);
  await log.storedFrame(orders);
  await log.storedFrame(orders);
  log.answeredUpTo = Number.MAX_SAFE_INTEGER;
  const fates = log.fates.get(stuck!)!;
  fates.skipped(log.run, [{ firstSeq: 1, count: 10 }]);
  await log.trimmer.look();
  fates.lost(log.run, [{ first: 1, last: 10 }]);
  log.isPressed = true;
  await log.lookTwice();
  const { frames, marks } = log.found();
  assert.ok(frames.includes(`${stuck} 1-10`), frames.join());
  assert.ok(marks.includes("group_end"));
});
