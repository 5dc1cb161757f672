import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { Worker } from "node:worker_threads";
import { MIB } from "../../src/base/units.js";
import type { CarryRule } from "../../src/wal/carry-rule.js";
import { segmentName } from "../../src/wal/format.js";
import { temporaryFolder } from "../support/folder.js";
import { Script, until } from "./disk-script.js";
import { openClient as open, row, upTo } from "./log-client-rig.js";
import { recordsOf, seqsIn } from "./records-in.js";
import { seal } from "./sample.js";

const OWNER = new URL("./owner-worker.js", import.meta.url);

describe("the log and its thread", { concurrency: true }, () => {
  test("records are on the disk when append resolves, and there for the next one", async (t) => {
    const dir = await temporaryFolder(t);
    const { client, recovered } = await open(t, dir);
    assert.equal(recovered.nextOrdinal, 1);
    const part = new Uint8Array(new ArrayBuffer(MIB), 100, 50).fill(9);
    const one = await client.append([row(1), { ...row(2), payload: part }]);
    assert.deepEqual([one.upTo, one.places.map(({ ordinal }) => ordinal)], [2, [1, 2]]);
    assert.equal(part.byteLength, 50, "the caller's buffer stays");
    assert.equal(recordsOf(dir, client.logId).length, 2);
    const { syncSeconds, unsyncedBytes, segments, bytes } = client.stats();
    assert.ok(syncSeconds.count > 0 && unsyncedBytes === 0 && segments === 1 && bytes > 0);
    await client.close();
    await assert.rejects(client.append([row(3)]), { code: "RECORDER_CLOSED" });
    const again = await open(t, dir);
    assert.equal(again.recovered.nextOrdinal, 3);
    assert.equal((await again.client.append([row(3)])).places[0]!.ordinal, 3);
    assert.deepEqual(seqsIn(dir, client.logId), [1, 2, 3]);
    assert.deepEqual(
      again.events.filter(({ kind }) => kind !== "wal_state").map((event) => "cause" in event && event.cause),
      ["start"],
    );
  });

  test("a second opener is refused, and the first goes on", async (t) => {
    const dir = await temporaryFolder(t);
    const { client } = await open(t, dir);
    await assert.rejects(open(t, dir), { code: "WAL_LOCKED" });
    await client.append([row(1)]);
  });

  test("what comes while a sync runs is one commit", async (t) => {
    const dir = await temporaryFolder(t);
    const { client, script } = await open(t, dir);
    await client.append([row(1)]);
    script.set("datasync", "hang", 1);
    const before = script.count("synced");
    const reached = script.count("datasync");
    const all = [client.append([row(2)])];
    await until(() => script.count("datasync") > reached);
    for (let seq = 3; seq <= 102; seq += 1) all.push(client.append([row(seq)]));
    script.clear();
    const ends = (await Promise.all(all)).map(({ places }) => places.map(({ ordinal }) => ordinal));
    assert.deepEqual(
      ends,
      upTo(102)
        .slice(1)
        .map((seq) => [seq]),
    );
    assert.equal(script.count("synced") - before, 2);
    assert.deepEqual(seqsIn(dir, client.logId), upTo(102));
  });

  for (const call of ["datasync", "synced"] as const)
    test(`a thread that dies ${call === "synced" ? "after" : "before"} a sync is started again, and nobody notices`, async (t) => {
      const dir = await temporaryFolder(t);
      const { client, script, events } = await open(t, dir);
      await client.append([row(1), seal("1", 1, 1)]);
      script.set(call, "die", 1);
      const job = client.saveLedger(new Uint8Array([1, 2, 3]));
      const ends = await Promise.all(
        upTo(20)
          .slice(1)
          .map((seq) => client.append([row(seq)])),
      );
      assert.deepEqual(
        ends.map(({ places }) => places[0]!.ordinal),
        upTo(21).slice(2),
      );
      await job;
      assert.equal(client.stats().restarts, 1);
      assert.deepEqual(
        events.flatMap((event) => (event.kind === "wal_recovered" ? [event.cause] : [])),
        ["start", "thread"],
      );
      await client.close();
      const { recovered } = await open(t, dir);
      assert.deepEqual([recovered.nextOrdinal, recovered.damage], [22, []]);
      assert.deepEqual(recovered.ledger, new Uint8Array([1, 2, 3]));
      assert.deepEqual(new Set(seqsIn(dir, client.logId)), new Set(upTo(20)));
    });
});

describe("a log opened and closed", { concurrency: true }, () => {
  test("a segment that is not there when it is to be moved restarts nothing: copies of it are found, and what is nowhere is told", async (t) => {
    const dir = await temporaryFolder(t);
    const { client } = await open(t, dir, { segmentBytes: 1000 });
    const { places } = await client.append([row(1, 400), row(2, 400)]);
    for (const seq of [3, 4, 5]) await client.append([row(seq, 900)]);
    const { segment } = places[0]!.place;
    const { table, run } = row(1);
    const rule: CarryRule = {
      rows: [{ table, run, ranges: [{ first: 2, last: 3 }] }],
      batches: [],
      endsAbove: Number.POSITIVE_INFINITY,
    };
    const carried = await client.carry(segment, rule);
    assert.deepEqual(
      carried.places.map(({ ordinal }) => ordinal),
      [2],
    );
    // As the next thread is asked when the one before died with the answer.
    const again = await client.carry(segment, rule);
    assert.deepEqual(
      again.places.map(({ ordinal }) => ordinal),
      [3, 2],
    );
    assert.deepEqual(again.places.at(-1)!.place, carried.places[0]!.place);
    await client.append([row(6, 900), row(7)]);
    rmSync(join(dir, segmentName(again.places[0]!.place.segment)));
    const third = await client.carry(again.places[0]!.place.segment, rule);
    assert.deepEqual(
      third.elsewhere?.map(({ ordinal }) => ordinal),
      [2],
    );
    assert.equal(client.stats().restarts, 0);
    await client.append([row(8)]);
    assert.deepEqual(seqsIn(dir, client.logId), [2, 4, 5, 6, 7, 8]);
  });

  test("closing waits for a thread that has to be started again for what it left", async (t) => {
    const dir = await temporaryFolder(t);
    const { client, script } = await open(t, dir);
    script.set("datasync", "die", 1);
    const waiting = client.append([row(1)]);
    await client.close();
    assert.equal((await waiting).upTo, 1);
    assert.deepEqual(seqsIn(dir, client.logId), [1]);
  });

  test("the folder of a pipeline thread that died is free at once, with all it was told is safe", async (t) => {
    const dir = await temporaryFolder(t);
    const owner = new Worker(OWNER, { workerData: dir });
    owner.on("error", () => {});
    await new Promise((resolve) => owner.once("exit", resolve));
    const { client, recovered } = await open(t, dir);
    assert.ok(recovered.nextOrdinal >= 2);
    assert.equal(seqsIn(dir, client.logId)[0], 1);
  });

  test("a log that cannot be opened says why, and lets go of the folder", async (t) => {
    const dir = await temporaryFolder(t);
    const script = new Script();
    script.set("create", "EMFILE");
    await assert.rejects(open(t, dir, {}, script), { code: "WAL_DISK", message: /too many files/ });
    await open(t, dir);
  });
});
