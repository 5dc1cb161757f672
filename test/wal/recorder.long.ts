import { after, afterEach, test } from "node:test";
import { upTo } from "../sink/rig.js";
import { startLogRig } from "./recorder-rig.js";

const rig = await startLogRig({ after });
const { proxy } = rig;

afterEach(async () => {
  proxy.clear();
  await proxy.accept();
});

test("a backlog over 200 partitions is stored partition by partition, and so are the edges of days", async () => {
  const place = await rig.place();
  const first = await place.open();
  await proxy.refuse();
  const day = 86_400_000_000_000n;
  const midnight = BigInt(Date.UTC(2024, 0, 1)) * 1_000_000n;
  for (const round of upTo(5))
    for (const i of upTo(200)) {
      const edge = midnight + BigInt(i) * day;
      place.offer(first, [round * 400 + 2 * i], { ts: edge });
      place.offer(first, [round * 400 + 2 * i + 1], { ts: edge - 1n });
    }
  await first.close({ deadlineMs: 0 });
  await proxy.accept();
  const second = await place.open();
  await second.replayed();
  await place.check();
});

test("ClickHouse killed under load: every row is stored once", async () => {
  const place = await rig.place();
  const recorder = await place.open();
  for (const round of upTo(20)) {
    place.offer(
      recorder,
      upTo(500).map((i) => round * 500 + i),
    );
    await recorder.durable();
    if (round === 10) rig.engine.kill();
  }
  await rig.engine.restart();
  await recorder.flush();
  await place.check();
});
