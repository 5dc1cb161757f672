import assert from "node:assert/strict";
import { test } from "node:test";
import type { ClickHouse, RequestOptions, ServerLife } from "../../src/clickhouse/client.js";
import { ClickHouseError } from "../../src/clickhouse/error.js";
import { Failback } from "../../src/sink/failback.js";
import { InFlight } from "../../src/sink/in-flight.js";
import { Link } from "../../src/sink/link.js";
import { ManualClock } from "../support/clock.js";

const HOME = "http://first";
const AWAY = "http://second";

/** Lets what was called back run on. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("a first endpoint that refuses us at the moment of the return has to be steady anew", async (t) => {
  const clock = new ManualClock();
  const closing = new AbortController();
  let refusals = 1;
  let endpoint = AWAY;
  const clickhouse = {
    endpoints: [HOME, AWAY],
    get endpoint() {
      return endpoint;
    },
    use: (url: string) => {
      endpoint = url;
    },
    // The move itself grants a longer time than a look.
    life: async ({ at, timeoutMs }: RequestOptions): Promise<ServerLife> => {
      if (timeoutMs === 5_000 && refusals-- > 0)
        throw new ClickHouseError(202, "TOO_MANY_SIMULTANEOUS_QUERIES", 500, "Code: 202. Too many");
      return { endpoint: at!, host: "a", startedAt: 1000 };
    },
  } as unknown as ClickHouse;
  const life = { endpoint: AWAY, host: "b", startedAt: 1000 };
  const link = new Link({ clickhouse, clock, random: () => 1, report: () => {} }, life);
  const inFlight = new InFlight(() => 2);
  const failback = new Failback({ clickhouse, link, inFlight, clock, signal: closing.signal });
  t.after(() => closing.abort());
  failback.look();
  const pass = async (seconds: number): Promise<void> => {
    for (let past = 0; past < seconds; past += 5) {
      clock.advance(5_000);
      await settle();
    }
  };
  await pass(40);
  assert.deepEqual([refusals, endpoint], [0, AWAY]);
  const leave = await inFlight.enter(closing.signal);
  leave();
  await pass(40);
  assert.equal(endpoint, HOME);
});
