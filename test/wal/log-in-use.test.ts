import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { setImmediate as breathe } from "node:timers/promises";
import { KIB } from "../../src/base/units.js";
import { inspectLog } from "../../src/wal/inspect.js";
import type { LogClient } from "../../src/wal/log-client.js";
import { LogReader, type ReadFrame } from "../../src/wal/log-reader.js";
import type { RowsRecord } from "../../src/wal/records.js";
import { SeqSet } from "../../src/wal/seq-set.js";
import { surveyLog } from "../../src/wal/survey.js";
import { verifyLog } from "../../src/wal/verify.js";
import { temporaryFolder } from "../support/folder.js";
import { type Random, randomOf } from "../support/random.js";
import { openClient } from "./log-client-rig.js";
import { rows } from "./sample.js";

const TABLES = ["orders", "trades"] as const;
const COMMITS = 150;

/** A frame that was written, where it is now, and whether its rows' fate is known. */
interface Written {
  readonly ordinal: number;
  readonly record: RowsRecord;
  /** Undefined once it is gone. */
  segment: number | undefined;
  /** Those it has been in, for who looks why it was missed. */
  readonly segments: number[];
  isKnown: boolean;
}

/** Writes frames, calls most of them known after a while, and removes segments as a recorder does. */
class Use {
  readonly written = new Map<number, Written>();
  readonly #client: LogClient;
  readonly #random: Random;
  readonly #nextSeq = new Map<string, number>();
  synced = 0;
  isOver = false;

  constructor(client: LogClient, random: Random) {
    this.#client = client;
    this.#random = random;
  }

  async run(): Promise<void> {
    for (let commit = 0; commit < COMMITS; commit += 1) {
      await this.#commit();
      for (const written of this.written.values())
        if (written.ordinal % 7 !== 0 && this.#random.below(20) === 0) written.isKnown = true;
      if (this.#random.below(6) === 0) await this.#trim();
    }
    this.isOver = true;
  }

  async #commit(): Promise<void> {
    const records = Array.from({ length: 1 + this.#random.below(6) }, () => this.#frame());
    const { places, upTo } = await this.#client.append(records);
    for (const [index, { ordinal, place }] of places.entries()) {
      const record = records[index]!;
      const { segment } = place;
      this.written.set(ordinal, { ordinal, record, segment, segments: [segment], isKnown: false });
    }
    this.synced = Math.max(this.synced, upTo);
  }

  #frame(): RowsRecord {
    const table = this.#random.of(TABLES);
    const firstSeq = this.#nextSeq.get(table) ?? 1;
    const count = 1 + this.#random.below(9);
    this.#nextSeq.set(table, firstSeq + count);
    const payload = new Uint8Array(this.#random.below(3000)).fill(firstSeq);
    return rows(firstSeq, count, { table, payload });
  }

  /** Any segment but the newest one; what is needed of it is carried forward. */
  async #trim(): Promise<void> {
    const frames = [...this.written.values()];
    const segments = [...new Set(frames.flatMap(({ segment }) => segment ?? []))].sort((a, b) => a - b);
    if (segments.length < 3) return;
    const segment = segments[this.#random.below(segments.length - 2)]!;
    const needed = frames.filter((written) => written.segment === segment && !written.isKnown);
    const rule = TABLES.map((table) => {
      const seqs = new SeqSet();
      for (const { record } of needed)
        if (record.table === table) seqs.add(record.firstSeq, record.firstSeq + record.count - 1);
      return { table, run: 7n, ranges: seqs.ranges };
    });
    const { places, lost } = await this.#client.carry(segment, {
      rows: rule,
      batches: [],
      endsAbove: Number.POSITIVE_INFINITY,
    });
    assert.deepEqual(lost, []);
    for (const written of frames) if (written.segment === segment) written.segment = undefined;
    for (const { ordinal, place } of places) {
      const written = this.written.get(ordinal)!;
      written.segment = place.segment;
      written.segments.push(place.segment);
    }
  }
}

/** Reads a table as it grows, until its end. */
async function follow(use: Use, reader: LogReader, table: string, random: Random): Promise<ReadFrame[]> {
  const found: ReadFrame[] = [];
  let after = 0;
  while (!use.isOver || after < use.synced) {
    const upTo = use.synced;
    const maxBytes = random.below(20 * KIB);
    const wanted = ({ ordinal }: { ordinal: number }): boolean => use.written.get(ordinal)?.isKnown !== true;
    const { frames, lastOrdinal } = await reader.next({ table, after, upTo, maxBytes, wanted });
    found.push(...frames);
    after = lastOrdinal;
    // Some readers lag behind: what they have not read yet is carried forward meanwhile.
    for (let left = random.below(60); left > 0 && !use.isOver; left -= 1) await breathe();
  }
  return found;
}

test("a log in use: no reader misses a frame that is needed, though it moves, and who looks at the log finds it sound", async (t) => {
  const random = randomOf(t);
  const dir = join(await temporaryFolder(t), "wal");
  const { client } = await openClient(t, dir, { segmentBytes: 24 * KIB });
  const damage: unknown[] = [];
  const reader = new LogReader({
    dir,
    logId: client.logId,
    segments: [],
    report: (place) => damage.push(place),
  });
  const use = new Use(client, random);
  const looking = async (): Promise<void> => {
    while (!use.isOver) {
      assert.deepEqual(surveyLog(dir).damage, []);
      assert.deepEqual((await verifyLog(dir, () => {})).damage, []);
      inspectLog(dir, { table: "orders" }, { limit: 5, rows: false });
      for (let left = 10; left > 0; left -= 1) await breathe();
    }
  };
  const [, , ...found] = await Promise.all([
    use.run(),
    looking(),
    ...[...TABLES, ...TABLES].map((table) => follow(use, reader, table, random)),
  ]);
  assert.deepEqual(damage, []);
  for (const [index, frames] of found.entries()) {
    const table = TABLES[index % TABLES.length]!;
    const ordinals = frames.map(({ entry }) => entry.ordinal);
    assert.deepEqual(
      ordinals,
      [...new Set(ordinals)].sort((a, b) => a - b),
      "in order, and each once",
    );
    for (const { entry, payload } of frames) {
      const { record } = use.written.get(entry.ordinal)!;
      assert.deepEqual({ ...entry.record, payload: Uint8Array.from(payload!) }, record);
    }
    const got = new Set(ordinals);
    const missed = [...use.written.values()]
      .filter(({ ordinal, record, isKnown }) => record.table === table && !isKnown && !got.has(ordinal))
      .map(({ ordinal, segments }) => `${ordinal} in ${segments.join(", then ")}`);
    assert.deepEqual(missed, []);
  }
});
