import assert from "node:assert/strict";
import { existsSync, rmSync } from "node:fs";
import { describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { MIB } from "../../src/base/units.js";
import { temporaryFolder } from "../support/folder.js";
import { until } from "./disk-script.js";
import { openClient as open, row, upTo } from "./log-client-rig.js";
import { recordsOf, seqsIn } from "./records-in.js";
import { groupEnd, seal } from "./sample.js";

describe("a log whose disk refuses", { concurrency: true }, () => {
  for (const [call, error, state] of [
    ["datasync", "EIO", "failing"],
    ["write", "EIO", "failing"],
    ["write", "EROFS", "read_only"],
  ] as const)
    test(`${error} at ${call} is told, and what was not on the disk is written again when it heals`, async (t) => {
      const dir = await temporaryFolder(t);
      const { client, script, troubles, events } = await open(t, dir);
      await client.append([row(1)]);
      script.set(call, error);
      const waiting = [client.append([row(2)]), client.append([row(3)])];
      await until(() => client.state === state);
      const cursor = client.saveCursor({ logId: client.logId, upTo: 1, tables: [] });
      assert.equal(client.refusing(), undefined, "little waits");
      const told = events.find((event) => event.kind === "wal_state");
      assert.ok(told?.kind === "wal_state" && told.reason.includes(`${error}: scripted`), told?.reason);
      script.clear();
      await Promise.all([...waiting, cursor]);
      await until(() => client.state === "ok");
      assert.deepEqual(troubles(), [state, "ok"]);
      await client.close();
      assert.deepEqual(new Set(seqsIn(dir, client.logId)), new Set([1, 2, 3]));
      const { recovered } = await open(t, dir);
      assert.deepEqual([recovered.nextOrdinal, recovered.damage], [4, []]);
    });

  test("beyond 8 MiB that wait rows are refused, by the name of what the disk suffers from", async (t) => {
    const { client, script } = await open(t, await temporaryFolder(t));
    script.set("datasync", "EIO");
    const all = upTo(9).map((seq) => client.append([row(seq, MIB)]));
    await until(() => client.refusing() === "wal_failing");
    script.clear();
    await Promise.all(all);
    assert.equal(client.refusing(), undefined);
  });

  test("no free descriptor for the next segment: told, and healed", async (t) => {
    const dir = await temporaryFolder(t);
    const { client, script, states } = await open(t, dir);
    await client.append([row(1)]);
    script.set("create", "EMFILE");
    const all = upTo(5)
      .slice(1)
      .map((seq) => client.append([row(seq, MIB / 2)]));
    await until(() => client.state === "too_many_files");
    script.clear();
    await Promise.all(all);
    assert.deepEqual(seqsIn(dir, client.logId), upTo(5));
    await until(() => states().at(-1) === "ok");
  });
});

describe("a log whose disk is full, gone or hangs", { concurrency: true }, () => {
  test("on a full disk rows wait, what empties the log goes on, and it heals when there is room", async (t) => {
    const dir = await temporaryFolder(t);
    const { client, script, troubles } = await open(t, dir);
    await client.append([row(1)]);
    script.free = MIB;
    script.set("write", "ENOSPC", 1);
    await client.append([row(2)]);
    await until(() => client.state === "full");
    let taken = false;
    const held = client.append([row(3)]).then((committed) => {
      taken = true;
      return committed;
    });
    const end = client.append([groupEnd(1n)]);
    const { places } = await client.append([seal("1", 1, 1)]);
    await client.saveCursor({ logId: client.logId, upTo: 2, tables: [] });
    assert.deepEqual([taken, places[0]!.ordinal], [false, 3]);
    // A thread that dies in the middle changes nothing.
    script.set("synced", "die", 1);
    await client.append([seal("2", 2, 1)]);
    assert.deepEqual([taken, client.state], [false, "full"]);
    script.free = undefined;
    assert.deepEqual((await held).places[0]!.ordinal, 5);
    await end;
    await until(() => client.state === "ok");
    assert.deepEqual(troubles(), ["full", "down", "full", "ok"]);
    assert.deepEqual(
      recordsOf(dir, client.logId).map(({ kind }) => kind),
      ["rows", "rows", "seal", "seal", "rows", "group_end"],
    );
  });

  test("a folder that was removed is made again, told, and the same log goes on in it", async (t) => {
    const dir = await temporaryFolder(t);
    const { client, script, states, events } = await open(t, dir);
    const before = await client.append([row(1), row(2)]);
    const { logId } = client;
    rmSync(dir, { recursive: true });
    await until(() => states().includes("missing"));
    const { places } = await client.append([row(3)]);
    assert.equal(places[0]!.ordinal, 3);
    assert.ok(places[0]!.place.segment > before.places[0]!.place.segment);
    await client.saveCursor({ logId, upTo: 3, tables: [] });
    assert.deepEqual(seqsIn(dir, client.logId), [3]);
    assert.ok(events.some((event) => event.kind === "wal_recovered" && event.cause === "folder"));
    assert.ok(script.count("synced") > 1);
    await until(() => existsSync(`${dir}/lock`));
  });

  test("a sync that hangs is told while it hangs, and holds nobody up but who waits for it", async (t) => {
    const dir = await temporaryFolder(t);
    const { client, script, states } = await open(t, dir);
    script.set("datasync", "hang", 1);
    const waiting = client.append([row(1)]);
    await until(() => states().includes("slow"));
    assert.match(client.stats().reason, /a commit to the disk takes \d{4,} ms/);
    const closing = client.close(20);
    await assert.rejects(waiting, { code: "DEADLINE" });
    await closing;
    await assert.rejects(open(t, dir), { code: "WAL_LOCKED" });
    script.clear();
    let again: Awaited<ReturnType<typeof open>> | undefined;
    while (again === undefined) {
      again = await open(t, dir).catch(() => undefined);
      await delay(5);
    }
    assert.ok(again.recovered.nextOrdinal <= 2);
  });
});
