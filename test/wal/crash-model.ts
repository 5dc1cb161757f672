import assert from "node:assert/strict";
import { join } from "node:path";
import { LogDiskError } from "../../src/wal/disk-error.js";
import { segmentName } from "../../src/wal/format.js";
import { Log } from "../../src/wal/log.js";
import type { LogRecord } from "../../src/wal/records.js";
import type { Damage, Recovered } from "../../src/wal/recovered.js";
import { readIndex } from "../../src/wal/segment-reader.js";
import type { Random } from "../support/random.js";
import { ScriptedDisk } from "../support/scripted-disk.js";
import { groupEnd, readAll, rows, seal } from "./sample.js";

const DIR = "/log";

/**
 * A log beside the plainest model of it: a map of what was committed, and a map of what was only appended. After each
 * crash the log must hold all of the first and, beyond it, nothing but parts of the second.
 */
export class CrashModel {
  readonly disk = new ScriptedDisk();
  readonly #random: Random;
  readonly #committed = new Map<number, LogRecord>();
  /** Appended; a commit of it failed, or none was tried. */
  readonly #appended = new Map<number, LogRecord>();
  /** Left with a segment that was unlinked, or whose unlinking failed half-way. */
  readonly #gone = new Set<number>();
  readonly #segmentOf = new Map<number, number>();
  /** Ended at no start, with the rows of theirs that the log may have: they never count. */
  readonly #halves = new Set<bigint>();
  #cursors: number[] = [];
  #log: Log | undefined;
  #seq = 1;
  #group = 0n;
  /** Commits that returned, and commits that failed. */
  commits = 0;
  failures = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  get log(): Log {
    return this.#log!;
  }

  /** Opens the log on a disk that works, and compares. */
  open(): void {
    const { log, recovered } = Log.open(this.#options());
    this.#log = log;
    this.#compare(recovered);
  }

  /** Opens the log on a disk that may not work; whether it could. */
  tryToOpen(): boolean {
    return this.#attempt(() => Log.open(this.#options())) !== undefined;
  }

  append(): void {
    const record = this.#record();
    const ordinal = this.log.append(record);
    assert.ok(!this.#committed.has(ordinal) && !this.#gone.has(ordinal), `ordinal ${ordinal} is given twice`);
    this.#appended.set(ordinal, record);
  }

  commit(): boolean {
    const committed = this.#attempt(() => this.log.commit());
    if (committed === undefined) return false;
    this.commits += 1;
    for (const { ordinal, place } of committed.places) this.#segmentOf.set(ordinal, place.segment);
    for (const [ordinal, record] of this.#appended) {
      assert.ok(ordinal <= committed.upTo);
      this.#committed.set(ordinal, record);
      assert.ok(this.#segmentOf.has(ordinal), `the place of ${ordinal} was not told`);
    }
    this.#appended.clear();
    return true;
  }

  /** Unlinks a segment, or carries a part of it forward. */
  trim(carry: boolean): void {
    const segments = [...new Set(this.#segmentOf.values())].toSorted((a, b) => a - b).slice(0, -1);
    if (segments.length === 0) return;
    const segment = this.#random.of(segments);
    const leaving = [...this.#segmentOf].filter(([, of]) => of === segment).map(([ordinal]) => ordinal);
    const kept = new Set(carry ? leaving.filter(() => this.#random() < 0.5) : []);
    if (carry && !this.commit()) return;
    // From here on they may be gone, also if the call fails.
    for (const ordinal of leaving) if (!kept.has(ordinal)) this.#gone.add(ordinal);
    if (!carry) {
      this.#attempt(() => this.log.unlink(segment));
    } else {
      const carried = this.#attempt(() => this.log.carry(segment, ({ ordinal }) => kept.has(ordinal)));
      for (const { ordinal, place } of carried?.places ?? []) this.#segmentOf.set(ordinal, place.segment);
      assert.deepEqual(carried?.lost ?? [], []);
    }
    for (const ordinal of this.#gone) {
      this.#segmentOf.delete(ordinal);
      this.#committed.delete(ordinal);
    }
  }

  saveCursor(): void {
    const upTo = Math.max(0, ...this.#committed.keys());
    const saved = this.#attempt(() => this.log.saveCursor({ logId: this.log.id, upTo, tables: [] }) ?? true);
    this.#cursors = saved ? [upTo] : [...this.#cursors, upTo];
  }

  tend(): void {
    this.#attempt(() => this.log.tend());
  }

  close(): void {
    this.#attempt(() => this.log.close());
  }

  #options() {
    return { dir: DIR, segmentBytes: 700, disk: this.disk, now: () => 1000, reserveBytes: 512 };
  }

  #attempt<T>(run: () => T): T | undefined {
    try {
      return run();
    } catch (error) {
      if (!(error instanceof LogDiskError)) throw error;
      this.failures += 1;
      return undefined;
    }
  }

  #record(): LogRecord {
    const choice = this.#random();
    if (choice < 0.15) return seal(String(this.#seq), this.#seq, 1);
    // A group has one end, and nothing of it comes after.
    if (choice < 0.25 && this.#group > 0n) return groupEnd(this.#group++);
    const first = this.#seq;
    this.#seq += 1 + this.#random.below(3);
    const group = choice < 0.5 ? ++this.#group : choice < 0.7 ? this.#group : 0n;
    return rows(first, this.#seq - first, { group, table: group === 0n ? "trades" : "fills" });
  }

  #compare(recovered: Recovered): void {
    assert.deepEqual(
      recovered.damage.filter((damage) => !this.#isHalfAnIndex(damage)),
      [],
    );
    assert.equal(recovered.trouble, undefined);
    const there = readAll(this.disk, DIR, recovered);
    const known = new Map([...this.#committed, ...this.#appended]);
    const ended = new Set(
      [...there.values()].flatMap((record) => (record.kind === "group_end" ? [record.group] : [])),
    );
    for (const [ordinal, record] of this.#committed) {
      const counts = record.kind !== "rows" || record.group === 0n || ended.has(record.group);
      if (counts) assert.ok(there.has(ordinal), `record ${ordinal} was committed and is gone`);
    }
    for (const [ordinal, record] of there) {
      if (this.#gone.has(ordinal)) continue;
      assert.deepEqual(record, known.get(ordinal), `record ${ordinal} is not what was appended`);
      if (record.kind !== "rows" || record.group === 0n) continue;
      assert.ok(ended.has(record.group));
      assert.ok(!this.#halves.has(record.group), `half of group ${record.group} counts at a later start`);
    }
    for (const record of known.values())
      if (record.kind === "rows" && record.group !== 0n && !ended.has(record.group))
        this.#halves.add(record.group);
    this.#compareGroups(there, known, ended);
    this.#compareFacts(recovered, there);
    this.#adopt(recovered, there);
  }

  /**
   * Nothing was damaged, only not synced. But an index that could neither be completed nor taken back cannot be told from
   * lost records if the segments behind it are gone as well.
   */
  #isHalfAnIndex({ segment, offset }: Damage): boolean {
    const entries = readIndex(this.disk, join(DIR, segmentName(segment)));
    return entries.every(({ place }) => place.offset + place.length <= offset);
  }

  /** A group is there whole or not at all. */
  #compareGroups(there: Map<number, LogRecord>, known: Map<number, LogRecord>, ended: Set<bigint>): void {
    for (const [ordinal, record] of known) {
      if (record.kind !== "rows" || record.group === 0n || !ended.has(record.group)) continue;
      const end = [...there].find(
        ([, other]) => other.kind === "group_end" && other.group === record.group,
      )![0];
      if (ordinal < end)
        assert.ok(there.has(ordinal), `group ${record.group} ended at ${end} and lacks ${ordinal}`);
    }
  }

  #compareFacts(recovered: Recovered, there: Map<number, LogRecord>): void {
    const marks = [...there].filter(([, record]) => record.kind !== "rows").map(([ordinal]) => ordinal);
    assert.deepEqual(
      recovered.marks.map(({ ordinal }) => ordinal),
      marks,
    );
    const counted = recovered.segments.flatMap(({ tables }) => tables.map(({ rows: count }) => count));
    const frames = [...there.values()].flatMap((record) => (record.kind === "rows" ? [record.count] : []));
    const sum = (numbers: number[]) => numbers.reduce((total, one) => total + one, 0);
    assert.equal(sum(counted), sum(frames));
    assert.ok(recovered.nextOrdinal > Math.max(0, ...there.keys(), ...this.#committed.keys()));
    if (this.#cursors.length > 0 && recovered.cursor !== undefined) {
      assert.ok(
        [0, ...this.#cursors].includes(recovered.cursor.upTo) ||
          recovered.cursor.upTo < recovered.nextOrdinal,
      );
    }
  }

  /** What was recovered is durable from here on, and what was not is no more. */
  #adopt(recovered: Recovered, there: Map<number, LogRecord>): void {
    this.#segmentOf.clear();
    for (const { segment } of recovered.segments) {
      for (const { ordinal } of readIndex(this.disk, join(DIR, segmentName(segment)))) {
        if (!this.#segmentOf.has(ordinal)) this.#segmentOf.set(ordinal, segment);
      }
    }
    for (const ordinal of this.#gone) this.#segmentOf.delete(ordinal);
    for (const [ordinal, record] of there) if (!this.#gone.has(ordinal)) this.#committed.set(ordinal, record);
    // A frame whose group never ended is in its segment still.
    for (const [ordinal, record] of this.#appended) {
      if (this.#segmentOf.has(ordinal)) this.#committed.set(ordinal, record);
    }
    this.#appended.clear();
    // Ordinals that nobody was told of are given again.
    for (const ordinal of this.#gone) if (ordinal >= recovered.nextOrdinal) this.#gone.delete(ordinal);
    this.#group += 1n;
  }
}
