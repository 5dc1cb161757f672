import assert from "node:assert/strict";
import { after, afterEach, test } from "node:test";
import { startLogRig } from "../wal/recorder-rig.js";
import { SpoolChild } from "./kill-rig.js";
import { spooled } from "./spool-rig.js";

const rig = await startLogRig({ after });
const { user, password } = rig.engine;
const clickhouse = { url: rig.proxy.url, user, password };
afterEach(() => rig.proxy.accept());

const IN_AN_OUTAGE = [
  "wal.before_write:3",
  "wal.between_write_and_sync:3",
  "wal.after_sync:3",
  "wal.before_cursor:1",
] as const;
const AFTERWARDS = ["sink.before_send:4", "sink.after_answer:4", "wal.before_unlink:1"] as const;

for (const crashAt of [...IN_AN_OUTAGE, ...AFTERWARDS])
  test(`killed at ${crashAt}: what was on disk is stored, none of it twice`, async (t) => {
    const place = await rig.place();
    const first = new SpoolChild(t, place, clickhouse, { first: 0 });
    await first.says(({ stored }) => stored > 0);
    await rig.proxy.refuse();
    await first.says(({ spooled: rows }) => rows > 1000);
    await first.kill();
    // The next one inherits, is killed at its point, and a third brings the rest.
    await rig.proxy.accept();
    const second = new SpoolChild(t, place, clickhouse, { first: 10_000_000, crashAt });
    if (IN_AN_OUTAGE.some((point) => point === crashAt)) {
      await second.says(({ stored }) => stored > 0);
      await rig.proxy.refuse();
    }
    await second.says(({ spooled: rows, stored }) => rows > 20_000 || stored > 20_000);
    await second.kill();
    await rig.proxy.accept();
    const recorder = await place.open(...spooled(place));
    await recorder.replayed();
    const [found] = await rig.direct.rows<{ n: string; ids: string; old: string }>(
      `SELECT count() AS n, uniqExact(id) AS ids, countIf(id < 10000000) AS old FROM ${place.name}`,
    );
    assert.equal(found!.n, found!.ids, "none is there twice");
    const { stored, spooled: onDisk } = first.last;
    assert.ok(Number(found!.old) >= stored + onDisk, `${found!.old} of ${stored} and ${onDisk}`);
  });
