import { threadId } from "node:worker_threads";
import { RingConsumer, type TakeRow } from "../../src/ring/consumer.js";
import { seeded } from "../support/random.js";

/**
 * The pipeline's worker, which dies at a random moment around a ring: before or after rows are read, while one is taken, before or
 * after room is freed. `COLDPATH_TEST_DEATHS` seeds the moment; without it the worker lives.
 */
const seed = process.env["COLDPATH_TEST_DEATHS"];
const pick = seeded(Number(seed) + threadId);
let left = seed === undefined ? Infinity : 10 ** (1 + pick.below(4)) * (1 + pick());

function maybeDie(): void {
  left -= 1;
  if (left < 0) throw new Error("told to die");
}

const { drain, release } = RingConsumer.prototype;
RingConsumer.prototype.drain = function (most, take) {
  maybeDie();
  const takeOrDie: TakeRow = (table, row, position) => {
    maybeDie();
    const isTaken = take(table, row, position);
    maybeDie();
    return isTaken;
  };
  const rows = drain.call(this, most, takeOrDie);
  if (rows > 0) maybeDie();
  return rows;
};
RingConsumer.prototype.release = function (position) {
  maybeDie();
  release.call(this, position);
  maybeDie();
};
await import("../../src/sdk/pipeline-worker.js");
