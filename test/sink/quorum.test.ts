import assert from "node:assert/strict";
import { after, test } from "node:test";
import { startRig, upTo } from "./rig.js";

const rig = await startRig({ after });

/** Settings of the quorum that went over the wire with each INSERT into the table. */
async function sent(table: "critical" | "best_effort", quorum: boolean): Promise<string[]> {
  const recording = await rig.open({ quorum, table: { class: table }, deadlineMs: 10_000 });
  recording.offer(upTo(3));
  await recording.recorder.flush();
  await recording.check();
  const inserts = rig.proxy.inserts.filter(({ sql }) => sql.includes(recording.name));
  assert.equal(inserts.length, 1);
  return [...inserts[0]!.settings].filter(([name]) => name.includes("quorum")).map((pair) => pair.join("="));
}

test("on a cluster an INSERT into a critical table waits for a majority of the replicas, and gives up before we do", async () => {
  assert.deepEqual(await sent("critical", true), [
    "insert_quorum=auto",
    "insert_quorum_parallel=1",
    "insert_quorum_timeout=8000",
  ]);
});

test("best-effort tables and single servers have no quorum to wait for", async () => {
  assert.deepEqual(await sent("best_effort", true), []);
  assert.deepEqual(await sent("critical", false), []);
});
