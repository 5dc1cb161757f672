import assert from "node:assert/strict";
import { test } from "node:test";
import { binance, coinbase, type FeedProblem, VenueFeed } from "../../src/venues/index.js";
import { SAMPLES } from "./samples.js";

const NOW = 1_714_550_400_000_000_000n;

/** Messages like this one with one value, at any depth, missing or another. */
function* damaged(value: unknown): Generator<unknown> {
  for (const other of [null, true, -1, 1.5, 1e300, "", "x", "NaN", "-3", [], {}, [[]]]) yield other;
  if (typeof value !== "object" || value === null) return;
  const isList = Array.isArray(value);
  for (const [key, inner] of Object.entries(value)) {
    for (const other of [undefined, ...damaged(inner)]) {
      if (isList) yield value.map((each, index) => (String(index) === key ? other : each));
      else yield { ...value, [key]: other };
    }
  }
}

test("whatever is missing or wrong in a message, the message alone is lost, counted and told", () => {
  let read = 0;
  let lost = 0;
  for (const [name, adapter, message] of SAMPLES) {
    const problems: FeedProblem[] = [];
    const feed = new VenueFeed({ adapter, onProblem: (problem) => problems.push(problem) });
    for (const each of damaged(message)) feed.read(JSON.stringify(each) ?? "", NOW);
    const { messages, broken, unknown } = feed.counts;
    const sum = Object.values(broken).reduce((total, n) => total + n, unknown);
    assert.equal(problems.length, sum, name);
    assert.ok(sum > 0 && sum < messages, `${name}: ${sum} of ${messages}`);
    read += messages;
    lost += sum;
  }
  assert.ok(read > 3000 && lost > 2000, `${lost} of ${read}`);
});

test("a message cut off anywhere is broken, and the one after it is read", () => {
  for (const [name, adapter, message] of SAMPLES) {
    const text = JSON.stringify(message);
    const feed = new VenueFeed({ adapter });
    for (let end = 0; end < text.length; end += 1) assert.deepEqual(feed.read(text.slice(0, end), NOW), []);
    assert.deepEqual(feed.counts.broken, { "is broken JSON": text.length }, name);
    feed.read(text, NOW);
    assert.deepEqual([feed.counts.messages, feed.counts.unknown], [text.length + 1, 0]);
    assert.deepEqual(feed.counts.broken, { "is broken JSON": text.length }, name);
  }
});

test("messages of an unknown kind are told with their text, answers to subscriptions are not", () => {
  const problems: FeedProblem[] = [];
  const feed = new VenueFeed({ adapter: coinbase(), onProblem: (problem) => problems.push(problem) });
  for (const text of [`{"type":"subscriptions","channels":[]}`, `{"type":"auction"}`, "[1,2]", "7"])
    feed.read(text, NOW);
  assert.deepEqual(problems, [
    { kind: "unknown", message: "is of an unknown kind", text: `{"type":"auction"}` },
    { kind: "unknown", message: "is of an unknown kind", text: "[1,2]" },
    { kind: "unknown", message: "is of an unknown kind", text: "7" },
  ]);
  assert.equal(feed.counts.unknown, 3);
});

test("a level of negative size or of a price too long to be told from others breaks the message, not the book", () => {
  const feed = new VenueFeed({ adapter: binance({ market: "usdm", symbol: "ABC" }) });
  const change = (u: number, pu: number, b: string): string =>
    `{"e":"depthUpdate","T":5,"s":"ABC","u":${u},"pu":${pu},"b":${b},"a":[]}`;
  feed.read(`{"lastUpdateId":4,"T":5,"bids":[["1.0","2"]],"asks":[["1.1","3"]]}`, NOW);
  assert.deepEqual(feed.read(change(5, 4, `[["1.0","9"],["0.9","-1"]]`), NOW), []);
  assert.deepEqual(feed.read(change(5, 4, `[["1.0000000000000001","9"]]`), NOW), []);
  assert.deepEqual(feed.counts.broken, {
    "has a level of negative size": 1,
    "has a price of more than 15 digits": 1,
  });
  const [row] = feed.read(change(5, 4, `[["0.9","1"]]`), NOW);
  assert.deepEqual((row as { bids: unknown }).bids, [
    ["1.0", "2"],
    ["0.9", "1"],
  ]);
});
