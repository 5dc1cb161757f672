import assert from "node:assert/strict";
import { test } from "node:test";
import { browserModule } from "./browser-module.js";

type Series = Record<string, (number | null)[]>;
interface Samples {
  readonly at: number[];
  readonly series: Series;
  load(told: { at: number[]; series: Series }): void;
  add(sample: Record<string, number | null>): void;
}
const { History } = await browserModule<{ History: new () => Samples }>("history");

/** Samples of those seconds, each with its second as its value. */
function samples(...at: number[]): { at: number[]; series: Series } {
  return { at, series: { rows: [...at] } };
}

test("what the service remembers counts, and what came while it was asked is kept", () => {
  const history = new History();
  history.add({ at: 20, rows: 20 });
  history.load(samples(5, 10, 15));
  assert.deepEqual([history.at, history.series], [[5, 10, 15, 20], { rows: [5, 10, 15, 20] }]);
  history.add({ at: 20, rows: 0 });
  history.load(samples(5, 10, 15, 20, 25));
  assert.deepEqual(history.series, { rows: [5, 10, 15, 20, 25] });
});

test("a service that was started anew has forgotten the hour, which the page has not; no line is drawn over the time between", () => {
  const history = new History();
  history.load(samples(5, 10, 15));
  history.load({ at: [], series: { rows: [], more: [] } });
  history.add({ at: 60, rows: 60, more: 1 });
  assert.deepEqual(history.at, [5, 10, 15, 16, 60]);
  assert.deepEqual(history.series, { rows: [5, 10, 15, null, 60], more: [null, null, null, null, 1] });
  history.load(samples(60, 65));
  assert.deepEqual(
    [history.at, history.series["rows"]],
    [
      [5, 10, 15, 16, 60, 65],
      [5, 10, 15, null, 60, 65],
    ],
  );
});

test("an hour is kept", () => {
  const history = new History();
  for (let at = 5; at <= 5000; at += 5) history.add({ at, rows: at });
  assert.deepEqual([history.at.length, history.at[0], history.series["rows"]!.length], [721, 1400, 721]);
});
