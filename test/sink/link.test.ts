import assert from "node:assert/strict";
import { test } from "node:test";
import type { ClickHouse, RequestOptions, ServerLife } from "../../src/clickhouse/client.js";
import { UnreachableError } from "../../src/clickhouse/error.js";
import type { RecorderEvent } from "../../src/sink/events.js";
import { Link } from "../../src/sink/link.js";
import { ManualClock } from "../support/clock.js";

const AT = "http://a";
const FIRST: ServerLife = { endpoint: AT, host: "a", startedAt: 1000 };
const SECOND: ServerLife = { endpoint: AT, host: "a", startedAt: 2000 };
const SILENCE = new UnreachableError("no answer", {});
const NO_CONNECTION = new UnreachableError("refused", { neverSent: true });
const NEVER = new AbortController().signal;

/** A link to a ClickHouse that answers as told. */
function linkTo(
  answer: (at: string) => ServerLife | Promise<ServerLife>,
  endpoints: readonly [string, ...string[]] = [AT],
) {
  const clock = new ManualClock();
  const events: RecorderEvent[] = [];
  let [endpoint] = endpoints;
  const clickhouse = {
    life: async ({ at = endpoint }: RequestOptions) => await answer(at),
    endpoints,
    get endpoint() {
      return endpoint;
    },
    use: (url: string) => {
      endpoint = url;
    },
  } as unknown as ClickHouse;
  const link = new Link({ clickhouse, clock, random: () => 1, report: (event) => events.push(event) }, FIRST);
  const states = (): string[] =>
    events.flatMap((event) => (event.kind === "link" ? [`${event.from} ${event.to}`] : []));
  return { link, clock, events, states };
}

/** Lets what was called back run on. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("an answer that asks for patience degrades the link, a success mends it, each once", () => {
  const { link, states } = linkTo(() => FIRST);
  link.worked();
  link.struggles("too busy");
  link.struggles("too busy");
  link.worked();
  link.worked();
  assert.deepEqual(states(), ["up degraded", "degraded up"]);
});

test("three silences in a row, or one refused connection, take it down", () => {
  const silent = linkTo(() => FIRST);
  silent.link.failed(SILENCE);
  silent.link.failed(SILENCE);
  silent.link.worked();
  for (const _ of [1, 2, 3]) silent.link.failed(SILENCE);
  assert.deepEqual(silent.states(), ["up degraded", "degraded up", "up degraded", "degraded down"]);
  const refused = linkTo(() => FIRST);
  refused.link.failed(NO_CONNECTION);
  assert.deepEqual(refused.states(), ["up down"]);
});

test("while it is down a probe asks for the start time, slower and slower, and wakes those who wait", async () => {
  let answers = false;
  let asked = 0;
  const { link, clock, states, events } = linkTo(() => {
    asked += 1;
    if (!answers) throw SILENCE;
    return SECOND;
  });
  link.failed(NO_CONNECTION);
  let isUsable = false;
  const usable = link.usable(NEVER).then(() => {
    isUsable = true;
  });
  for (const ms of [100, 200, 400, 800, 1600, 3200, 5000, 5000]) {
    const before = asked;
    clock.advance(ms - 1);
    await settle();
    assert.equal(asked, before, `not before ${ms} ms`);
    clock.advance(1);
    await settle();
    assert.equal(asked, before + 1, `after ${ms} ms`);
  }
  assert.equal(link.probeError, "no answer");
  assert.equal(isUsable, false);
  answers = true;
  clock.advance(5000);
  await usable;
  assert.deepEqual(states(), ["up down", "down recovering"]);
  assert.deepEqual(link.life, SECOND);
  assert.deepEqual(events.at(-2), { kind: "clickhouse_restarted", from: FIRST, to: SECOND });
  link.worked();
  assert.equal(link.state, "up");
});

test("a link that is recovering falls at the first silence", async () => {
  const { link, clock, states } = linkTo(() => FIRST);
  link.failed(NO_CONNECTION);
  clock.advance(100);
  await link.usable(NEVER);
  link.failed(SILENCE);
  assert.deepEqual(states(), ["up down", "down recovering", "recovering down"]);
  link.close();
});

test("who waits for the link can be called off", async () => {
  const { link } = linkTo(() => FIRST);
  link.failed(NO_CONNECTION);
  const controller = new AbortController();
  const waiting = link.usable(controller.signal);
  controller.abort(new Error("enough"));
  await assert.rejects(waiting, /enough/);
  link.close();
});

test("of two moves at once, the one that is answered last does not undo the other", async () => {
  const answers = new Map<string, () => void>();
  const { link, events } = linkTo(
    (at) =>
      new Promise((resolve) => {
        answers.set(at, () => resolve({ ...FIRST, endpoint: at }));
      }),
    [AT, "http://b", "http://c"],
  );
  const moves = ["http://b", "http://c"].map((to) => link.move(to, "a test", NEVER));
  answers.get("http://c")!();
  await moves[1];
  answers.get("http://b")!();
  await moves[0];
  const to = events.flatMap((event) => (event.kind === "endpoint" ? [event.to] : []));
  assert.deepEqual([to, link.life.endpoint], [["http://c"], "http://c"]);
});

test("a life read from an endpoint that was left meanwhile is not taken for that of the new one", async () => {
  let answer: () => void = () => {};
  const { link } = linkTo(
    (at) =>
      at === AT
        ? new Promise((resolve) => {
            answer = () => resolve(FIRST);
          })
        : { ...FIRST, endpoint: at },
    [AT, "http://b"],
  );
  const reading = link.readLife(NEVER);
  await link.move("http://b", "a test", NEVER);
  answer();
  await assert.rejects(reading, UnreachableError);
  assert.equal(link.life.endpoint, "http://b");
});
