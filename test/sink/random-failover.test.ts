import assert from "node:assert/strict";
import { after, afterEach, test } from "node:test";
import type { Fault, FaultProxy, Match } from "../support/fault-proxy.js";
import {
  answers,
  answersAfterStore,
  cutAnswer,
  exception,
  hang,
  hangAfterStore,
  html,
  resetAfterStore,
  resetBeforeStore,
} from "../support/fault-proxy-faults.js";
import { seeded, seeds } from "../support/random.js";
import { type Recording, startRig } from "./rig.js";

const STEPS = 25;
const rig = await startRig({ after }, { replicas: 3 });

afterEach(async () => {
  for (const proxy of rig.proxies) proxy.clear();
  for (const proxy of rig.proxies) await accept(proxy);
});

/** Endpoints that nothing listens at. */
const refusing = new Set<FaultProxy>();

/** What may befall a request of any kind, so that probes, questions and KILL get their share. */
const ANY: readonly Fault[] = [resetBeforeStore, cutAnswer, answers(html(502))];
const INSERT: readonly Fault[] = [
  ...ANY,
  hang,
  resetAfterStore,
  hangAfterStore,
  answersAfterStore(html(504)),
  answers(html(413)),
  answers(exception(999)),
  answers(exception(241)),
  answersAfterStore(exception(319)),
];

/** Seeds at which the sender once waited for ever, and new ones. */
const SEEDS = process.env["COLDPATH_TEST_SEED"] === undefined ? [937_413_115, 120, ...seeds(2)] : seeds(1);

for (const seed of SEEDS)
  test(`whichever endpoint fails when, each row is stored once (COLDPATH_TEST_SEED=${seed})`, async () => {
    const random = seeded(seed);
    const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!;
    const rows = 5 + Math.floor(random() * 40);
    const table = { flush: { rows, bytes: 2 ** 20, age: 250 }, queue: { rows: rows * 4 } };
    const recording = await rig.open({ random, deadlineMs: 400, table });
    const restartAt = random() < 0.3 ? Math.floor(random() * STEPS) : -1;
    let restarted: Promise<void> | undefined;
    let id = 0;
    for (let step = 0; step < STEPS; step += 1) {
      await befall(pick(rig.proxies), random, pick);
      id = await offerSome(recording, id, random);
      if (step === restartAt) {
        rig.engine.kill();
        restarted = rig.engine.restart();
      }
      for (let turns = Math.floor(random() * 200); turns > 0; turns -= 1) await new Promise(setImmediate);
    }
    for (const proxy of rig.proxies) proxy.clear();
    for (const proxy of rig.proxies) await accept(proxy);
    await restarted;
    await recording.recorder.flush();
    await recording.check();
    await recording.recorder.close({ deadlineMs: 0 });
    const names = recording.events.flatMap((event) => (event.kind === "endpoint" ? [event.to] : []));
    assert.ok(names.every((name) => rig.proxies.some(({ url }) => url === name)));
  });

async function accept(proxy: FaultProxy): Promise<void> {
  refusing.delete(proxy);
  await proxy.accept();
}

async function befall(
  proxy: FaultProxy,
  random: () => number,
  pick: <T>(from: readonly T[]) => T,
): Promise<void> {
  const what = random();
  // One of them serves at any time, or whoever waits for room would wait for ever.
  const isLast = rig.proxies.every((other) => other === proxy || refusing.has(other));
  if (what < 0.15 && !isLast) {
    refusing.add(proxy);
    await proxy.refuse();
  } else if (what < 0.4) await accept(proxy);
  else {
    const kind = pick<NonNullable<Match["kind"]>>(["insert", "insert", "other", "any"]);
    const times = random() < 0.7 ? 1 : 4;
    proxy.on({ kind, skip: Math.floor(random() * 3), times }, pick(kind === "insert" ? INSERT : ANY));
  }
}

async function offerSome(recording: Recording, from: number, random: () => number): Promise<number> {
  const to = from + 1 + Math.floor(random() * 40);
  const writer = recording.recorder.table(recording.name);
  for (let id = from; id < to; id += 1) {
    if (writer.full) {
      // A batch whose INSERT may still run at an endpoint waits until that answers, and the sender for the batch.
      for (const proxy of rig.proxies) await accept(proxy);
      await writer.room();
    }
    recording.offer([id], { kind: random() < 0.5 ? "a" : "b" });
  }
  return to;
}
