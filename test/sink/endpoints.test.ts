import assert from "node:assert/strict";
import { after, afterEach, test } from "node:test";
import { systemClock } from "../../src/base/clock.js";
import type { RecorderEvent } from "../../src/sink/events.js";
import type { Fault, FaultProxy, Seen } from "../support/fault-proxy.js";
import {
  answers,
  Gate,
  hang,
  held,
  html,
  resetAfterStore,
  resetBeforeStore,
} from "../support/fault-proxy-faults.js";
import { asReplica, type Recording, startRig, upTo } from "./rig.js";

/** Three ways to one store: what replicas share, rows and tokens, is the engine's. */
const rig = await startRig({ after }, { replicas: 3 });
const [first, second, third] = rig.proxies as [FaultProxy, FaultProxy, FaultProxy];

afterEach(async () => {
  for (const proxy of rig.proxies) {
    proxy.clear();
    proxy.retell = asReplica;
    await proxy.accept();
  }
});

const SMALL = { flush: { rows: 10, bytes: 2 ** 20, age: 60_000 } };

function moves(recording: Recording): (RecorderEvent & { kind: "endpoint" })[] {
  return recording.events.filter((event) => event.kind === "endpoint");
}

/** The statements that a proxy saw of a table, and of no table in particular, from the n-th on. */
function kindsOf(proxy: FaultProxy, from: number): string[] {
  return proxy.requests.slice(from).flatMap(({ sql }) => {
    if (sql.startsWith("INSERT")) return ["insert"];
    if (sql.startsWith("KILL QUERY")) return ["kill"];
    if (sql.startsWith("SYSTEM SYNC REPLICA")) return ["sync"];
    return sql.includes("uniqExact(seq)") ? ["count"] : [];
  });
}

for (const [how, fall] of [
  ["refuses connections", () => first.refuse()],
  ["goes silent", () => first.on({ kind: "any", times: Infinity }, hang)],
  ["is a proxy that finds no server", () => first.on({ kind: "any", times: Infinity }, answers(html(502)))],
] as const) {
  test(`under load the first ${how}: the second takes over, nothing is lost or doubled`, async () => {
    const recording = await rig.open({ table: SMALL, clock: systemClock });
    recording.offer(upTo(100));
    await recording.recorder.flush();
    await fall();
    const fellAt = performance.now();
    for (let id = 100; id < 1000; id += 1) {
      recording.offer([id]);
      if (id % 50 === 0) await new Promise(setImmediate);
    }
    await recording.recorder.flush();
    const seconds = (performance.now() - fellAt) / 1000;
    // The deadline of a request is 30 s.
    assert.ok(seconds < 25, `moved on and stored all after ${seconds} s`);
    await recording.check();
    const [move] = moves(recording);
    assert.deepEqual([move!.from, move!.to], [first.url, second.url]);
    assert.equal(recording.recorder.stats().link.life?.endpoint, second.url);
    await recording.recorder.close({ deadlineMs: 0 });
  });
}

test("what is in doubt is ended at every endpoint that answers, then fetched, then counted, then sent again", async () => {
  const recording = await rig.open({ table: SMALL, clock: systemClock });
  const falls: Fault = {
    name: "stored, and the first dies",
    async befall(exchange) {
      await exchange.forward();
      await first.refuse();
    },
  };
  first.on({}, falls);
  const [from2, from3] = [second.requests.length, third.requests.length];
  recording.offer(upTo(10));
  await recording.recorder.flush();
  await recording.check();
  assert.deepEqual(kindsOf(second, from2), ["kill", "sync", "count"], "all there, nothing to send");
  assert.deepEqual(kindsOf(third, from3), ["kill"]);
  const { name } = recording;
  const sync = second.requests.slice(from2).find(({ sql }) => sql.startsWith("SYSTEM SYNC"))!.sql;
  assert.equal(sync, `SYSTEM SYNC REPLICA \`default\`.\`${name}\` LIGHTWEIGHT`);
  assert.match(await rig.direct.text(`EXPLAIN AST ${sync}`), /SYSTEM query/, "ClickHouse's parser takes it");
});

test("the first is used again once it answered steadily, and what runs on the second is waited for", async () => {
  await first.refuse();
  let statusAtMove: number | undefined;
  const recording = await rig.open({
    table: SMALL,
    report: ({ kind }) => {
      if (kind === "endpoint") statusAtMove = isHeld?.status;
    },
  });
  assert.equal(recording.recorder.stats().link.life?.endpoint, second.url);
  const gate = new Gate();
  second.on({}, held(gate));
  recording.offer(upTo(10));
  await second.until(() => second.inserts.at(-1)?.fault === "held");
  const isHeld = second.inserts.at(-1);
  const looks = first.requests.length;
  await first.accept();
  // By a clock that does not wait, half a minute is over within a few looks.
  await first.until(() => first.requests.length >= looks + 2);
  await rig.direct.text("SELECT sleep(0.3)");
  assert.deepEqual(moves(recording), [], "not while an INSERT is under way");
  gate.open();
  const { from, to } = await recording.event("endpoint");
  assert.deepEqual([from, to, statusAtMove], [second.url, first.url, 200]);
  recording.offer(upTo(10));
  await recording.recorder.flush();
  const retries = recording.events.filter((event) => event.kind === "retry");
  assert.deepEqual(retries, [], "nothing was cut off");
  assert.ok(first.inserts.some(({ sql }) => sql.includes(recording.name)));
  await recording.check();
});

test("a first endpoint that answers now and then is not gone back to", async () => {
  await first.refuse();
  const recording = await rig.open({ table: SMALL });
  const looks = first.requests.length;
  let look = 0;
  const everyFourth = (): boolean => {
    look += 1;
    return look % 4 === 0;
  };
  first.on({ kind: "any", where: everyFourth, times: Infinity }, answers(html(502)));
  await first.accept();
  await first.until(() => first.requests.length >= looks + 60);
  assert.deepEqual(moves(recording), []);
  recording.offer(upTo(10));
  await recording.recorder.flush();
  await recording.check();
});

test("several endpoints of tables that are not replicated are refused", async () => {
  second.retell = undefined;
  first.retell = undefined;
  await assert.rejects(rig.open(), {
    code: "SCHEMA_MISMATCH",
    message: /clickhouse\.url names 3 servers, but table t_\w+ is not replicated/,
  });
});

test("a batch is not split while an attempt may still run on a server that does not answer", async () => {
  const recording = await rig.open({ table: SMALL });
  const dies: Fault = {
    name: "dies with an INSERT",
    async befall() {
      await first.refuse();
    },
  };
  first.on({}, dies);
  // From then on the whole batch is too large, and only halves pass.
  const isWhole = ({ isInsert, body }: Seen): boolean => isInsert && body.length > 400;
  second.on({ where: isWhole, times: Infinity }, answers(html(413)));
  recording.offer(upTo(10));
  const { message } = await recording.event("paused");
  assert.match(message, new RegExp(`an INSERT may still run at ${first.url}, which does not answer`));
  const before = new Set(second.inserts.map(({ settings }) => settings.get("insert_deduplication_token")));
  await first.accept();
  await recording.recorder.flush();
  const tokens = new Set(
    second.inserts.concat(first.inserts).map(({ settings }) => settings.get("insert_deduplication_token")),
  );
  assert.ok(tokens.size > before.size, "halves were sent once the first could be asked");
  await recording.check();
});

test("behind one address that leads each request to another replica, nothing is lost or doubled", async () => {
  const recording = await rig.open({ table: SMALL });
  for (const [i, proxy] of rig.proxies.entries()) {
    let turn = i;
    proxy.retell = (answer, seen) => {
      const told = asReplica(answer, seen);
      turn += 1;
      return {
        ...told,
        headers: { ...told.headers, "x-clickhouse-server-display-name": `replica ${turn % 2}` },
      };
    };
  }
  first.on({ skip: 1, times: 2 }, resetAfterStore);
  first.on({ skip: 2, times: 1 }, resetBeforeStore);
  recording.offer(upTo(100));
  await recording.recorder.flush();
  await recording.check();
});

test("batches too large for a proxy are split where they are: the endpoint stays, others are not cut off", async () => {
  const recording = await rig.open({ table: SMALL });
  first.on({ times: 3 }, answers(html(413)));
  recording.offer(upTo(10));
  await recording.recorder.flush();
  await recording.check();
  const links = recording.events.filter(({ kind }) => kind === "link" || kind === "endpoint");
  assert.deepEqual(links, []);
});
