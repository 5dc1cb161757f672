import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { nodeDisk } from "../../src/wal/disk.js";
import { segmentName } from "../../src/wal/format.js";
import type { LogRecord } from "../../src/wal/records.js";
import type { RecordPlace } from "../../src/wal/recovered.js";
import { readRecord } from "../../src/wal/segment-reader.js";
import { temporaryFolder } from "../support/folder.js";
import { type Random, seeded, seeds } from "../support/random.js";
import { openClient } from "./log-client-rig.js";
import { groupEnd, readAll, rows, seal } from "./sample.js";

const STEPS = 60;
const CALLS = ["create", "write", "datasync", "synced"] as const;

/** Records as a pipeline appends them: frames, now and then of a group that ends, and seals. */
class Appends {
  readonly #random: Random;
  #seq = 1;
  #nextGroup = 1n;

  constructor(random: Random) {
    this.#random = random;
  }

  next(): LogRecord[] {
    const group = this.#random.below(4) === 0 ? this.#nextGroup : 0n;
    this.#nextGroup += 1n;
    const frames = [...Array(1 + this.#random.below(4))].map(() => this.#frame(group));
    if (group !== 0n) return [...frames, groupEnd(group)];
    return this.#random.below(3) === 0 ? [seal(String(this.#seq), this.#seq - 1, 1)] : frames;
  }

  #frame(group: bigint): LogRecord {
    const count = 1 + this.#random.below(9);
    const payload = new Uint8Array(this.#random.below(60_000)).fill(this.#seq);
    this.#seq += count;
    return rows(this.#seq - count, count, { group, payload });
  }
}

function readAt(dir: string, logId: bigint, { place }: RecordPlace): LogRecord {
  const fd = nodeDisk.open(join(dir, segmentName(place.segment)), "read");
  try {
    return readRecord(nodeDisk, fd, place, logId);
  } finally {
    nodeDisk.close(fd);
  }
}

for (const seed of seeds(10))
  test(`whatever disk and thread do, what is acknowledged is in the log once, in order, where it was said to be (seed ${seed})`, async (t) => {
    const random = seeded(seed);
    const dir = join(await temporaryFolder(t), "wal");
    const { client, script, states } = await openClient(t, dir, { segmentBytes: 100_000 });
    const appends = new Appends(random);
    const given: LogRecord[] = [];
    const order: number[] = [];
    const append = async (): Promise<void> => {
      const records = appends.next();
      const first = given.push(...records) - records.length;
      const { places } = await client.append(records);
      order.push(first);
      assert.deepEqual(
        places.map(({ ordinal }) => ordinal),
        records.map((_, index) => first + 1 + index),
      );
      assert.deepEqual(
        places.map((place) => readAt(dir, client.logId, place)),
        records.map(plain),
      );
    };
    let waiting: Promise<void>[] = [];
    for (let step = 0; step < STEPS; step += 1) {
      const burst = [...Array(random.below(8))].map(() => append());
      waiting.push(...burst);
      if (random.below(4) === 0)
        script.set(
          random.of(CALLS),
          random.of(["EIO", "EIO", "EROFS", "EMFILE", "die"]),
          1 + random.below(2),
        );
      if (random.below(6) === 0) {
        await Promise.all(waiting);
        waiting = [];
      } else await burst[0];
    }
    script.clear();
    await Promise.all(waiting);
    t.diagnostic(`threads that died: ${client.stats().restarts}, states: ${states().join(" ")}`);
    await client.close();
    assert.deepEqual(
      order,
      order.toSorted((a, b) => a - b),
    );
    const { recovered } = await openClient(t, dir);
    assert.deepEqual([recovered.nextOrdinal, recovered.damage], [given.length + 1, []]);
    assert.deepEqual(
      [...readAll(nodeDisk, dir, recovered)],
      given.map((record, index) => [index + 1, plain(record)]),
    );
  });

/** As it is read: bytes of a file are a Buffer. */
function plain(record: LogRecord): LogRecord {
  return record.kind === "rows" ? { ...record, payload: Buffer.from(record.payload) } : record;
}
