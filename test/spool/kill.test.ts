import assert from "node:assert/strict";
import { after, afterEach, test } from "node:test";
import { Ledger } from "../../src/sdk/ledger.js";
import { tellLostRows } from "../../src/sdk/lost-rows.js";
import { startLogRig } from "../wal/recorder-rig.js";
import { SpoolChild, type Told } from "./kill-rig.js";
import { spooled } from "./spool-rig.js";

const rig = await startLogRig({ after });
const { user, password } = rig.engine;
const clickhouse = { url: rig.proxy.url, user, password };
afterEach(() => rig.proxy.accept());

test("a process that is killed in an outage loses what was in memory alone, and doubles nothing", async (t) => {
  const place = await rig.place();
  const child = new SpoolChild(t, place, clickhouse, { first: 0 });
  await child.says(({ stored }) => stored > 500);
  await rig.proxy.refuse();
  await child.says(({ spooled: rows }) => rows > 3000);
  await child.kill();
  const { spooled: onDisk, stored: before, offered } = child.last;
  await rig.proxy.accept();
  const recorder = await place.open(...spooled(place));
  const lost: number[] = [];
  await tellLostRows({
    clickhouse: rig.direct,
    recorder,
    recorderId: "rig",
    run: child.last.run,
    tables: [place.name],
    ledger: ledgerOf(child.last),
    handed: () => 0,
    onLost: (_, rows) => lost.push(rows),
  });
  await recorder.replayed();
  const [found] = await rig.direct.rows<{ n: string; ids: string; last: string }>(
    `SELECT count() AS n, uniqExact(id) AS ids, max(id) AS last FROM ${place.name}`,
  );
  const { n, ids, last } = found!;
  assert.equal(n, ids, "none is there twice");
  assert.ok(Number(n) >= before + onDisk, `${n} of ${before} stored and ${onDisk} on disk`);
  assert.ok(Number(last) < offered + 10_000);
  assert.deepEqual(lost, [offered - Number(n)], "rows on disk are not told as lost, all others are");
  const { inherited } = recorder.stats().tables[place.name]!;
  assert.ok(inherited.stored >= onDisk && inherited.pending === 0);
});

/** What a pipeline's thread would have left in shared memory. */
function ledgerOf({ pending, stored }: Told): Ledger {
  const ledger = new Ledger(Ledger.create(1));
  ledger.publish(0, { pending, stored, untold: 0, handed: 0 });
  return ledger;
}
