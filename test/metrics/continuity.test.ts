import assert from "node:assert/strict";
import { test } from "node:test";
import { Continuity } from "../../src/metrics/continuity.js";

const stored = (table: string, value: number) => ({ labels: { table }, value });

test("a counter goes on where the thread that counted before had left it", () => {
  const continuity = new Continuity();
  const look = (run: string, ...counts: ReturnType<typeof stored>[]): [string, number][] =>
    continuity.over(run, counts).map(({ labels, value }) => [String(labels["table"]), value]);
  assert.deepEqual(look("1", stored("orders", 5)), [["orders", 5]]);
  assert.deepEqual(look("1", stored("orders", 7), stored("fills", 1)), [
    ["orders", 7],
    ["fills", 1],
  ]);
  assert.deepEqual(look("2", stored("orders", 0)), [
    ["orders", 7],
    ["fills", 1],
  ]);
  assert.deepEqual(look("2", stored("orders", 2)), [
    ["orders", 9],
    ["fills", 1],
  ]);
  assert.deepEqual(look("3", stored("orders", 1), stored("fills", 4)), [
    ["orders", 10],
    ["fills", 5],
  ]);
});

test("the parts of a histogram go on by themselves", () => {
  const continuity = new Continuity();
  const part = (metricName: string, value: number) => ({ metricName, labels: { table: "orders" }, value });
  continuity.over("1", [part("x_sum", 0.5), part("x_count", 3)]);
  assert.deepEqual(continuity.over("2", [part("x_sum", 0.25), part("x_count", 1)]), [
    part("x_sum", 0.75),
    part("x_count", 4),
  ]);
});
