import assert from "node:assert/strict";
import { after, afterEach, test } from "node:test";
import type { Exchange, Seen } from "../support/fault-proxy.js";
import { until } from "../support/until.js";
import { startLogRig } from "./recorder-rig.js";
import { isPart, keeping, powerCut, quick, segmentsOf, store } from "./trim-rig.js";

const rig = await startLogRig({ after });
const { proxy } = rig;

afterEach(() => proxy.clear());

test("the log gets short again: segments go when ClickHouse has kept their rows for a while", async () => {
  const place = await rig.place();
  const recorder = await place.open(quick(place, rig));
  await store(place, recorder, 8);
  assert.ok(Math.max(...segmentsOf(place)) >= 3, "rows are in several segments");
  await until("a short log", () => segmentsOf(place).length === 1);
  await place.check();
  await recorder.close({ deadlineMs: 1000 });
  const next = await place.open(quick(place, rig));
  await next.replayed();
  await store(place, next, 1, 8);
  await place.check();
});

test("ClickHouse's host loses power, and parts that were stored: the log has them, and they are stored again", async () => {
  const place = await rig.place();
  const { options, pass } = keeping(place, rig);
  const recorder = await place.open(options);
  await store(place, recorder, 4);
  await powerCut(place, rig, isPart);
  pass();
  await place.event("wal_rows_lost");
  const { name } = place;
  await until("lost rows are stored again", () => recorder.stats().tables[name]!.inherited.stored === 400);
  await recorder.flush();
  await place.check();
  const { stored, inherited } = recorder.stats().tables[place.name]!;
  assert.deepEqual([stored, inherited.stored], [400, 400]);
});

test("power lost while the recorder is away: the next start counts what the log still has", async () => {
  const place = await rig.place();
  const first = await place.open(quick(place, rig, 60_000));
  await store(place, first, 4);
  await first.close({ deadlineMs: 1000 });
  await powerCut(place, rig, isPart);
  const second = await place.open(quick(place, rig, 1000));
  await place.event("wal_rows_lost");
  await second.replayed();
  await place.check();
});

test("without counting before a segment goes the oracle misses rows", async () => {
  const place = await rig.place();
  const recorder = await place.open(quick(place, rig));
  await store(place, recorder, 4);
  const headers = { "x-clickhouse-server-display-name": "liar" };
  proxy.on(
    { kind: "other", times: Infinity, where: ({ sql }: Seen) => sql.includes("uniqExact(seq)") },
    {
      name: "all there",
      async befall(exchange: Exchange) {
        const { seen } = exchange;
        const rows = Number(seen.settings.get("param_last")) - Number(seen.settings.get("param_first")) + 1;
        await exchange.reply({
          status: 200,
          headers,
          body: Buffer.from(`{"rows":"${rows}","seqs":"${rows}"}\n`),
        });
      },
    },
  );
  await powerCut(place, rig, isPart);
  await until("a short log", () => segmentsOf(place).length === 1);
  await assert.rejects(place.check());
});
