import { after, afterEach, test } from "node:test";
import type { Fault, Match } from "../support/fault-proxy.js";
import {
  answers,
  answersAfterStore,
  cutAnswer,
  cutBody,
  exception,
  exceptionIn200,
  Gate,
  hang,
  hangAfterStore,
  headerOnly200,
  html,
  late,
  resetAfterStore,
  resetBeforeStore,
} from "../support/fault-proxy-faults.js";
import { seeded, seeds } from "../support/random.js";
import { NOON, type Recording, startRig } from "./rig.js";

const STEPS = 30;

const rig = await startRig({ after });
const { proxy, engine } = rig;
afterEach(() => proxy.clear());

/** What may befall an INSERT without anybody being to blame for what becomes of its rows. */
const COMMON: readonly Fault[] = [
  resetBeforeStore,
  resetAfterStore,
  cutAnswer,
  hang,
  hangAfterStore,
  answers(html(502)),
  answersAfterStore(html(504)),
  answers(html(200)),
  answersAfterStore(html(200)),
  answers(exceptionIn200(999)),
  answersAfterStore(exceptionIn200(1000)),
  answers(headerOnly200(209)),
  answersAfterStore(exception(389)),
  answers(exception(202)),
  answers(exception(243)),
  answers(exception(252, "Too many parts")),
  answers(exception(319)),
  answersAfterStore(exception(319)),
  answers(exception(60, "Unknown table", 404)),
  answers(exception(31337)),
  answers(exception(62)),
];
/** What makes a batch go in halves: ClickHouse takes a body that was cut for one with a bad row. */
const SPLITTING: readonly Fault[] = [
  cutBody(0.3),
  cutBody(0.99),
  answers(html(413)),
  answers(exception(241)),
  answers(exception(396)),
];

/** Tests so many random runs of a recorder whose requests meet any fault. */
export function testRandomFaults(runs: number): void {
  for (const seed of seeds(runs)) {
    test(`whatever happens on the way, each row is stored once (COLDPATH_TEST_SEED=${seed})`, async () => {
      const random = seeded(seed);
      const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!;
      const rows = 5 + Math.floor(random() * 40);
      // So short a queue that batches do not grow: many small ones meet more faults.
      const table = { flush: { rows, bytes: 2 ** 20, age: 250 }, queue: { rows: rows * 4 } };
      const recording = await rig.open({ random, deadlineMs: 400, table });
      // A request that somebody holds back and delivers later is harmless as long as its batch keeps its token; of one that went in
      // halves meanwhile it would store the rows again, which nobody here can know (docs/internals/sink.md).
      const splits = random() < 0.5;
      const gate = new Gate();
      const faults = [...COMMON, ...(splits ? SPLITTING : [late(gate), late(gate)])];
      const restartAt = random() < 0.7 ? Math.floor(random() * STEPS) : -1;
      let restarted: Promise<void> | undefined;
      let id = 0;
      for (let step = 0; step < STEPS; step += 1) {
        const kind = pick<Match["kind"]>(["insert", "insert", "insert", "other", "any"]);
        const times = random() < 0.8 ? 1 : 3;
        // What is not an INSERT gets the faults of the connection only: a false count would be believed.
        const fault =
          kind === "insert" ? pick(faults) : pick([resetBeforeStore, cutAnswer, answers(html(502))]);
        if (random() < 0.7) proxy.on({ kind: kind!, skip: Math.floor(random() * 3), times }, fault);
        id = await offerSome(recording, id, random);
        if (step === restartAt) {
          engine.kill();
          restarted = engine.restart();
        }
        if (random() < 0.2) await Promise.race([recording.recorder.flush(), pause(random)]);
        else await pause(random);
      }
      proxy.clear();
      gate.open();
      await restarted;
      await recording.recorder.flush();
      const lateOnes = proxy.requests.filter((seen) => seen.fault === "late");
      await proxy.until(() => lateOnes.every((seen) => seen.status !== undefined || restarted !== undefined));
      await recording.check();
    });
  }
}

async function offerSome(recording: Recording, from: number, random: () => number): Promise<number> {
  const to = from + 1 + Math.floor(random() * 60);
  const writer = recording.recorder.table(recording.name);
  for (let id = from; id < to; id += 1) {
    if (writer.full) await writer.room();
    const day = BigInt(Math.floor(random() * 3)) * 86_400n * 1_000_000_000n;
    recording.offer([id], { ts: NOON - day, kind: random() < 0.5 ? "a" : "b" });
  }
  return to;
}

/** A few turns of the event loop. */
async function pause(random: () => number): Promise<void> {
  for (let turns = Math.floor(random() * 200); turns > 0; turns -= 1) await new Promise(setImmediate);
}
