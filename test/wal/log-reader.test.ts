import assert from "node:assert/strict";
import {
  appendFileSync,
  closeSync,
  openSync,
  readdirSync,
  readSync,
  statSync,
  truncateSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import fsPromises, { open } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { type Disk, nodeDisk } from "../../src/wal/disk.js";
import { segmentName } from "../../src/wal/format.js";
import { Log } from "../../src/wal/log.js";
import { LogReader, type ReadRequest } from "../../src/wal/log-reader.js";
import type { Place, RowsRecord } from "../../src/wal/records.js";
import type { Damage, Recovered } from "../../src/wal/recovered.js";
import { temporaryFolder } from "../support/folder.js";
import { type Random, randomOf, seeded } from "../support/random.js";

const RUN = 7n;
const TABLES = ["orders", "trades", "a table with a name that is long"];

/** What was appended, by a list of its own. */
interface Written {
  readonly ordinal: number;
  readonly record: RowsRecord;
}

/** A log, a reader that was opened with it, and what went into the log. */
class Scene {
  readonly dir: string;
  readonly written: Written[] = [];
  readonly damage: Damage[] = [];
  readonly random: Random;
  readonly #seqs = new Map<string, number>();
  log!: Log;
  recovered!: Recovered;
  reader!: LogReader;
  synced = 0;

  constructor(dir: string, random: Random) {
    this.dir = dir;
    this.random = random;
  }

  static async open(t: unknown, random: Random = seeded(1), disk: Disk = nodeDisk): Promise<Scene> {
    const scene = new Scene(join(await temporaryFolder(t), "wal"), random);
    scene.reopen(disk);
    return scene;
  }

  reopen(disk: Disk = nodeDisk): void {
    const { dir } = this;
    const opened = Log.open({ dir, segmentBytes: 16_384, disk, now: () => 1000, reserveBytes: 0 });
    this.log = opened.log;
    this.recovered = opened.recovered;
    this.synced = opened.recovered.nextOrdinal - 1;
    this.reader = new LogReader({
      dir,
      logId: this.log.id,
      segments: this.recovered.segments,
      report: (damage) => this.damage.push(damage),
    });
  }

  append(table: string, bytes: number, group = 0n): Written {
    const count = 1 + this.random.below(50);
    const firstSeq = this.#seqs.get(table) ?? 1;
    this.#seqs.set(table, firstSeq + count);
    const payload = Uint8Array.from({ length: bytes }, () => this.random.below(256));
    const record = {
      kind: "rows",
      table,
      partition: "1",
      run: RUN,
      firstSeq,
      count,
      positions: [],
      group,
      payload,
    } as const;
    const written = { ordinal: this.log.append(record), record };
    this.written.push(written);
    return written;
  }

  /** So many frames of random tables and sizes in random commits. */
  fill(frames: number): void {
    for (let left = frames; left > 0; left -= 1) {
      this.append(this.random.of(TABLES), this.random.below(900));
      if (this.random.below(5) === 0) this.log.append(skipRecord());
      if (this.random.below(4) === 0) this.commit();
    }
    this.commit();
  }

  commit(): ReadonlyMap<number, Place> {
    const { upTo, places } = this.log.commit();
    this.synced = upTo;
    return new Map(places.map(({ ordinal, place }) => [ordinal, place]));
  }

  /** All frames of a table, asked for in pieces. */
  async read(table: string, request: Partial<ReadRequest> = {}): Promise<Written[]> {
    const found: Written[] = [];
    let after = request.after ?? 0;
    const upTo = request.upTo ?? this.synced;
    while (after < upTo) {
      const maxBytes = request.maxBytes ?? 1 + this.random.below(5000);
      const wanted = request.wanted ?? ((): boolean => true);
      const { frames, lastOrdinal } = await this.reader.next({ table, after, upTo, maxBytes, wanted });
      assert(lastOrdinal > after || frames.length > 0, `nothing happens behind ${after}`);
      assert(lastOrdinal <= upTo);
      const bytes = frames.reduce((sum, { entry }) => sum + entry.place.length, 0);
      assert(frames.length <= 1 || bytes <= maxBytes, `${bytes} bytes, asked for ${maxBytes}`);
      for (const { entry, payload } of frames) {
        assert(entry.ordinal > after && entry.ordinal <= lastOrdinal);
        if (payload !== undefined)
          found.push({
            ordinal: entry.ordinal,
            record: { ...entry.record, payload: Uint8Array.from(payload) },
          });
      }
      after = lastOrdinal;
    }
    return found;
  }

  of(table: string, keep: (written: Written) => boolean = () => true): Written[] {
    return this.written.filter((written) => written.record.table === table && keep(written));
  }

  flip(place: Place, offset: number): void {
    const fd = openSync(join(this.dir, `${String(place.segment).padStart(8, "0")}.wal`), "r+");
    const byte = Buffer.alloc(1);
    readSync(fd, byte, 0, 1, place.offset + offset);
    byte[0]! ^= 0x10;
    writeSync(fd, byte, 0, 1, place.offset + offset);
    closeSync(fd);
  }
}

/** Small frames in so many segments. */
function fillSegments(scene: Scene, segments: number): void {
  while (logFiles(scene.dir).length < segments) {
    for (let frame = 0; frame < 40; frame += 1) scene.append("orders", 0);
    scene.commit();
  }
}

/** Gives what was there before. */
function overwrite(path: string, bytes: Buffer, offset: number): Buffer {
  const before = Buffer.alloc(bytes.length);
  const fd = openSync(path, "r+");
  readSync(fd, before, 0, before.length, offset);
  writeSync(fd, bytes, 0, bytes.length, offset);
  closeSync(fd);
  return before;
}

function logFiles(dir: string): string[] {
  return readdirSync(dir).filter((name) => name.endsWith(".wal"));
}

function skipRecord(): Parameters<Log["append"]>[0] {
  return { kind: "skip", table: "orders", run: RUN, firstSeq: 1, count: 1, batch: "1" };
}

describe("a reader of the log", () => {
  test("gives each table its frames in order, from closed segments and the open one, also while more are logged", async (t) => {
    const scene = await Scene.open(t, randomOf(t));
    for (let round = 0; round < 4; round += 1) {
      scene.fill(60);
      for (const table of TABLES) assert.deepEqual(await scene.read(table), scene.of(table));
      if (round !== 1) continue;
      scene.log.close();
      scene.reopen();
    }
    assert(scene.recovered.segments.length > 1);
    const middle = Math.floor(scene.synced / 2);
    for (const table of TABLES) {
      const behind = scene.of(table, ({ ordinal }) => ordinal > middle);
      assert.deepEqual(await scene.read(table, { after: middle }), behind);
    }
    assert.deepEqual(scene.damage, []);
    assert.deepEqual(await scene.read("no such table"), []);
    scene.log.close();
  });

  test("answers for several tables at a time", async (t) => {
    const scene = await Scene.open(t, randomOf(t));
    scene.fill(150);
    const found = await Promise.all([...TABLES, ...TABLES].map((table) => scene.read(table)));
    for (const [index, table] of [...TABLES, ...TABLES].entries())
      assert.deepEqual(found[index], scene.of(table));
    scene.log.close();
  });

  test("gives nothing beyond the ordinal that is synced", async (t) => {
    const scene = await Scene.open(t);
    scene.fill(30);
    for (const upTo of [1, 5, 17, scene.synced - 1]) {
      assert.deepEqual(
        await scene.read("orders", { upTo }),
        scene.of("orders", ({ ordinal }) => ordinal <= upTo),
      );
    }
    assert.deepEqual(await scene.read("orders"), scene.of("orders"));
    scene.log.close();
  });

  test("leaves out frames that are not wanted and goes on behind them", async (t) => {
    const scene = await Scene.open(t);
    scene.fill(120);
    const wanted: ReadRequest["wanted"] = ({ record }) => record.firstSeq % 3 === 0;
    assert.deepEqual(
      await scene.read("orders", { wanted }),
      scene.of("orders", ({ record }) => record.firstSeq % 3 === 0),
    );
    const none = await scene.reader.next({
      table: "orders",
      after: 0,
      upTo: scene.synced,
      maxBytes: 1,
      wanted: () => false,
    });
    assert.deepEqual(none, { frames: [], lastOrdinal: scene.synced });
    scene.log.close();
  });

  test("gives a frame that is larger than what was asked for, alone", async (t) => {
    const scene = await Scene.open(t);
    for (const bytes of [10, 3_000_000, 10, 5_000_000]) scene.append("orders", bytes);
    scene.commit();
    assert.deepEqual(await scene.read("orders", { maxBytes: 1000 }), scene.of("orders"));
    scene.log.close();
  });
});

describe("of a damaged log a reader", () => {
  for (const [what, offset] of [
    ["payload", 200],
    ["head", 20],
  ] as const) {
    for (const where of ["a closed segment", "the open segment"]) {
      test(`loses the frame whose ${what} is damaged in ${where} and nothing else`, async (t) => {
        const scene = await Scene.open(t);
        const places = new Map<number, Place>();
        for (let frame = 0; frame < 12; frame += 1) scene.append("orders", 300);
        for (const [ordinal, place] of scene.commit()) places.set(ordinal, place);
        if (where === "a closed segment") scene.fill(60);
        scene.flip(places.get(5)!, offset);
        for (let time = 0; time < 2; time += 1) {
          assert.deepEqual(
            await scene.read("orders"),
            scene.of("orders", ({ ordinal }) => ordinal !== 5),
          );
        }
        assert.deepEqual(
          scene.damage.map(({ segment, offset, bytes }) => ({ segment, offset, length: bytes })),
          [places.get(5)!],
        );
        scene.log.close();
      });
    }
  }
});

describe("of a log that changes a reader", () => {
  test("finds copies of frames that were carried forward, in their old order, whenever it looked last", async (t) => {
    const scene = await Scene.open(t, randomOf(t));
    scene.fill(100);
    const carried = new Set<number>();
    const gone = new Set<number>();
    for (const segment of [1, 2, 3]) {
      // What is known of the open segment by now must not hide copies that are added to it.
      if (segment > 1) await scene.read("trades", { after: scene.synced - 5 });
      scene.log.carry(segment, ({ ordinal, record }) => {
        const isKept = ordinal % 2 === 1;
        if (record.kind === "rows") (isKept ? carried : gone).add(ordinal);
        return isKept;
      });
      const left = scene.of("orders", ({ ordinal }) => !gone.has(ordinal));
      assert.deepEqual(await scene.read("orders"), left);
      const isLater = ({ ordinal }: { ordinal: number }): boolean => ordinal > 9;
      assert.deepEqual(await scene.read("orders", { after: 9 }), left.filter(isLater));
      scene.fill(segment * 10);
    }
    assert(scene.of("orders", ({ ordinal }) => carried.has(ordinal)).length > 3);
    assert.deepEqual(
      await scene.read("orders"),
      scene.of("orders", ({ ordinal }) => !gone.has(ordinal)),
    );
    scene.log.close();
  });

  test("finds copies whose segment goes only when others were begun: the disk did not let it go at once", async (t) => {
    let isStuck = true;
    const disk: Disk = {
      ...nodeDisk,
      unlink(path) {
        if (isStuck) throw Object.assign(new Error("EACCES"), { code: "EACCES" });
        nodeDisk.unlink(path);
      },
    };
    const scene = await Scene.open(t, randomOf(t), disk);
    scene.fill(100);
    await scene.read("orders");
    const gone = new Set<number>();
    const { places } = scene.log.carry(1, ({ ordinal, record }) => {
      const isKept = ordinal % 2 === 1;
      if (record.kind === "rows" && !isKept) gone.add(ordinal);
      return isKept;
    });
    scene.reader.moved(places);
    for (let round = 0; round < 3; round += 1) {
      scene.fill(100);
      await scene.read("orders", { after: scene.synced - 5 });
    }
    isStuck = false;
    scene.log.tend();
    assert.deepEqual(
      await scene.read("orders"),
      scene.of("orders", ({ ordinal }) => !gone.has(ordinal)),
    );
    scene.log.close();
  });

  test("waits for no bytes that are not written yet behind the copies", { timeout: 60_000 }, async (t) => {
    const scene = await Scene.open(t);
    scene.fill(60);
    assert.deepEqual(await scene.read("orders"), scene.of("orders"));
    scene.log.carry(1, () => true);
    // As a commit that is being written, or that the disk did not take.
    const newest = readdirSync(scene.dir).findLast((name) => name.endsWith(".wal"))!;
    appendFileSync(join(scene.dir, newest), Buffer.alloc(100, 7));
    assert.deepEqual(await scene.read("orders"), scene.of("orders"));
    truncateSync(join(scene.dir, newest), statSync(join(scene.dir, newest)).size - 100);
    scene.fill(10);
    assert.deepEqual(await scene.read("orders"), scene.of("orders"));
    scene.log.close();
  });

  test("goes on behind a segment that was removed", async (t) => {
    const scene = await Scene.open(t);
    scene.fill(150);
    const first = await scene.reader.next({
      table: "orders",
      after: 0,
      upTo: scene.synced,
      maxBytes: 1,
      wanted: () => true,
    });
    assert.equal(first.frames.length, 1);
    for (const segment of [1, 2]) unlinkSync(join(scene.dir, `0000000${segment}.wal`));
    const rest = await scene.read("orders", { after: first.lastOrdinal });
    assert(rest.length > 0);
    assert.deepEqual(
      rest,
      scene.of("orders", ({ ordinal }) => ordinal >= rest[0]!.ordinal),
    );
    scene.log.close();
  });
});

test("a reader finds copies in a segment behind which another was begun before the original went", async (t) => {
  const disk: Disk = {
    ...nodeDisk,
    unlink() {
      throw Object.assign(new Error("EACCES"), { code: "EACCES" });
    },
  };
  const scene = await Scene.open(t, randomOf(t), disk);
  scene.fill(100);
  await scene.read("orders", { after: scene.synced - 1 });
  scene.reader.moving();
  const gone = new Set<number>();
  scene.log.carry(1, ({ ordinal, record }) => {
    if (record.kind === "rows" && ordinal % 2 === 0) gone.add(ordinal);
    return ordinal % 2 === 1;
  });
  scene.fill(100);
  await scene.read("orders", { after: scene.synced - 1 });
  unlinkSync(join(scene.dir, segmentName(1)));
  assert.deepEqual(
    await scene.read("orders"),
    scene.of("orders", ({ ordinal }) => !gone.has(ordinal)),
  );
  scene.log.close();
});

test("a reader that has not looked at a segment yet when it is removed finds the copies of its frames", async (t) => {
  const scene = await Scene.open(t);
  fillSegments(scene, 6);
  const handle = await open(scene.dir);
  const prototype = Object.getPrototypeOf(handle) as typeof handle;
  await handle.close();
  const { read } = prototype;
  let isListed = false;
  // The reader has listed the segments and looks at the first one.
  t.mock.method(prototype, "read", async function (this: typeof handle, ...args: Parameters<typeof read>) {
    if (!isListed) scene.log.carry(3, () => true);
    isListed = true;
    return await read.apply(this, args);
  });
  assert.deepEqual(await scene.read("orders"), scene.of("orders"));
  assert(!logFiles(scene.dir).includes(segmentName(3)));
  scene.log.close();
});

describe("a list of segments need not be of one moment: a reader finds copies though it", () => {
  /** The next list that is asked for has what of the folder's names before and after `change` is `seen`. */
  function listAcross(
    t: TestContext,
    change: () => void,
    seen: (before: string[], after: string[]) => string[],
  ): void {
    const { readdir } = fsPromises;
    const listing = t.mock.method(fsPromises, "readdir", async (dir: string) => {
      listing.mock.restore();
      syncBuiltinESMExports();
      const before = await readdir(dir);
      change();
      return seen(before, await readdir(dir));
    });
    syncBuiltinESMExports();
  }

  test("has both the segment that goes and the one begun thereafter", async (t) => {
    const scene = await Scene.open(t);
    fillSegments(scene, 4);
    await scene.read("orders", { after: scene.synced - 1 });
    const copied = scene.of("orders")[0]!;
    const change = (): void => {
      scene.log.carry(1, ({ ordinal }) => ordinal === copied.ordinal);
      fillSegments(scene, 4);
    };
    listAcross(t, change, (before, after) => [...new Set([...before, ...after])]);
    await scene.read("orders", { after: scene.synced - 1 });
    assert.deepEqual((await scene.read("orders"))[0], copied);
    scene.log.close();
  });

  test("has neither the segment that goes nor the one with its copies", async (t) => {
    const scene = await Scene.open(t);
    fillSegments(scene, 4);
    await scene.read("orders", { after: scene.synced - 1 });
    const change = (): void => {
      scene.log.carry(1, () => true);
    };
    listAcross(t, change, (before, after) => before.filter((name) => after.includes(name)));
    assert.deepEqual(await scene.read("orders"), scene.of("orders"));
    assert(logFiles(scene.dir).includes(segmentName(5)));
    scene.log.close();
  });
});

describe("of a log whose files are longer than their records a reader", () => {
  test("finds copies of one segment behind those of another, in room that the file had already", async (t) => {
    const scene = await Scene.open(t);
    fillSegments(scene, 4);
    const newest = join(scene.dir, logFiles(scene.dir).at(-1)!);
    const full = statSync(newest).size;
    while (statSync(newest).size === full) {
      scene.append("orders", 0);
      scene.commit();
    }
    const size = statSync(newest).size;
    const kept: number[] = [];
    for (const segment of [1, 2]) {
      await scene.read("orders", { after: scene.synced - 1 });
      const begin = kept.length;
      scene.log.carry(segment, ({ ordinal, record }) => {
        const isKept = kept.length === begin && record.kind === "rows";
        if (isKept) kept.push(ordinal);
        return isKept;
      });
      const found = await scene.read("orders", { upTo: kept.at(-1)! });
      assert.deepEqual(
        found.map(({ ordinal }) => ordinal),
        kept,
      );
    }
    assert.equal(statSync(newest).size, size, "the copies found room");
    assert.deepEqual(scene.damage, []);
    scene.log.close();
  });

  test("misses nothing of what came in the place of a commit that was seen and taken back", async (t) => {
    let taken: { readonly bytes: Buffer; readonly offset: number } | undefined;
    let isFull = false;
    const disk: Disk = {
      ...nodeDisk,
      write(fd, bytes, from, length, offset) {
        if (!isFull) return nodeDisk.write(fd, bytes, from, length, offset);
        taken ??= { bytes: Buffer.from(bytes.subarray(from, from + length)), offset };
        throw Object.assign(new Error("ENOSPC"), { code: "ENOSPC" });
      },
    };
    const scene = await Scene.open(t, seeded(1), disk);
    fillSegments(scene, 4);
    assert.deepEqual(await scene.read("orders"), scene.of("orders"));
    isFull = true;
    assert.throws(() => scene.log.carry(2, ({ ordinal }) => ordinal % 7 === 0));
    isFull = false;
    const newest = join(scene.dir, logFiles(scene.dir).at(-1)!);
    overwrite(newest, taken!.bytes, taken!.offset);
    // Once a segment has gone the reader looks for copies, and sees those that are being made of another.
    unlinkSync(join(scene.dir, segmentName(1)));
    const [first] = await scene.read("orders");
    truncateSync(newest, taken!.offset);
    for (let frame = 0; frame < 10; frame += 1) {
      scene.append("orders", 30 + frame);
      scene.commit();
    }
    const left = scene.of("orders", ({ ordinal }) => ordinal >= first!.ordinal);
    assert.deepEqual(await scene.read("orders"), left);
    assert.deepEqual(scene.damage, []);
    scene.log.close();
  });

  test("takes what it read before it was written for no hole, though it sees what was written behind it", async (t) => {
    const scene = await Scene.open(t);
    for (let frame = 0; frame < 3; frame += 1) scene.append("orders", 300);
    const places = scene.commit();
    const path = join(scene.dir, logFiles(scene.dir)[0]!);
    const { offset, length } = places.get(2)!;
    const bytes = overwrite(path, Buffer.alloc(length), offset);
    // The page of the second frame is read before it is written, that of the third thereafter.
    const handle = await open(path);
    const prototype = Object.getPrototypeOf(handle) as typeof handle;
    await handle.close();
    const { read } = prototype;
    t.mock.method(prototype, "read", async function (this: typeof handle, ...args: Parameters<typeof read>) {
      const found = await read.apply(this, args);
      if (found.bytesRead > 3 * length) overwrite(path, bytes, offset);
      return found;
    });
    assert.deepEqual(await scene.read("orders"), scene.of("orders"));
    assert.deepEqual(scene.damage, []);
    scene.log.close();
  });
});

describe("of a log that had trouble a reader", () => {
  test("gives frames once that were written again after a sync that failed", async (t) => {
    let failing = false;
    const disk: Disk = {
      ...nodeDisk,
      datasync(fd) {
        if (failing) throw Object.assign(new Error("EIO"), { code: "EIO" });
        nodeDisk.datasync(fd);
      },
    };
    const scene = await Scene.open(t, randomOf(t), disk);
    for (let round = 0; round < 5; round += 1) {
      scene.fill(20);
      scene.append("orders", 500);
      scene.append("trades", 500);
      failing = true;
      assert.throws(() => scene.log.commit());
      failing = false;
      for (const table of TABLES) {
        assert.deepEqual(
          await scene.read(table),
          scene.of(table, ({ ordinal }) => ordinal <= scene.synced),
        );
      }
      scene.commit();
      for (const table of TABLES) assert.deepEqual(await scene.read(table), scene.of(table));
    }
    scene.log.close();
  });

  test("leaves out frames of a group whose end was not logged before the last start", async (t) => {
    const scene = await Scene.open(t);
    scene.append("orders", 100, 5n);
    scene.append("orders", 100, 6n);
    scene.append("orders", 100);
    const { ordinal } = scene.written[0]!;
    scene.log.append({
      kind: "group_end",
      group: 6n,
      key: "k",
      bodyHash: "",
      status: 200,
      answer: "",
      at: 0,
    });
    scene.commit();
    scene.log.close();
    scene.reopen();
    assert.deepEqual(
      await scene.read("orders"),
      scene.of("orders", (written) => written.ordinal !== ordinal),
    );
    scene.log.close();
  });
});
