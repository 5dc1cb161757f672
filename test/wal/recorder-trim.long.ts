import assert from "node:assert/strict";
import { after, afterEach, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { Exchange } from "../support/fault-proxy.js";
import { until } from "../support/until.js";
import { startLogRig } from "./recorder-rig.js";
import { isPart, keeping, powerCut, quick, segmentsOf, store } from "./trim-rig.js";

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
  const { options, pass } = keeping(place, rig);
  const first = await place.open(options);
  await store(place, first, 4);
  proxy.on({ times: Infinity }, { name: "held", befall: (exchange: Exchange) => exchange.over });
  await powerCut(place, rig, isPart);
  pass();
  await place.event("wal_rows_lost");
  await first.close({ deadlineMs: 0 });
  proxy.clear();
  const second = await place.open(quick(place, rig, 1000));
  await second.replayed();
  await place.check();
});

test("views of a table are told of when ClickHouse was restarted, and loudly when rows of the table are stored again, of which they have some twice", async () => {
  const place = await rig.place();
  const { name, events } = place;
  await rig.direct.command(`CREATE TABLE ${name}_ids (id UInt64) ENGINE = MergeTree ORDER BY id`);
  await rig.direct.command(`CREATE MATERIALIZED VIEW ${name}_view TO ${name}_ids AS SELECT id FROM ${name}`);
  const told = (): unknown[] => events.filter(({ kind }) => kind === "views_doubtful");
  const views = [`default.${name}_view`];
  const first = await place.open(quick(place, rig, 60_000));
  await store(place, first, 4);
  rig.engine.kill();
  await rig.engine.restart();
  await until("the restart is told", () => told().length > 0);
  assert.deepEqual(told(), [{ kind: "views_doubtful", table: name, views, rows: 0 }]);
  await powerCut(place, rig, isPart);
  await until("the loss is told", () => told().length > 1);
  assert.deepEqual(told().at(-1), { kind: "views_doubtful", table: name, views, rows: 400 });
  await until("the rows are there again", async () => (await place.count()) === 400);
  const [row] = await rig.direct.rows(`SELECT count() AS n FROM ${name}_ids`);
  assert.deepEqual(row, { n: "800" });
  await place.check();
});
