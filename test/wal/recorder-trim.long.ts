import { after, afterEach, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { Exchange } from "../support/fault-proxy.js";
import { startLogRig } from "./recorder-rig.js";
import { isPart, powerCut, quick, segmentsOf, store } from "./trim-rig.js";

const rig = await startLogRig({ after });
const { proxy } = rig;

afterEach(() => proxy.clear());

test("ClickHouse's host loses power, and what was sent before: nothing is doubled", async () => {
  const place = await rig.place();
  const recorder = await place.open(quick(place, rig, 1000));
  await store(place, recorder, 4);
  await powerCut(place, rig, (entry) => entry === "deduplication_logs");
  await store(place, recorder, 4, 4);
  await place.event("clickhouse_restarted");
  while (segmentsOf(place).length > 1) await delay(20);
  await place.check();
});

test("a recorder that ends while it stores lost rows again leaves them to the next one", async () => {
  const place = await rig.place();
  const first = await place.open(quick(place, rig, 1000));
  await store(place, first, 4);
  proxy.on({ times: Infinity }, { name: "held", befall: (exchange: Exchange) => exchange.over });
  await powerCut(place, rig, isPart);
  await place.event("wal_rows_lost");
  await first.close({ deadlineMs: 0 });
  proxy.clear();
  const second = await place.open(quick(place, rig, 1000));
  await second.replayed();
  await place.check();
});
