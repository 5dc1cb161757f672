import assert from "node:assert/strict";
import { test } from "node:test";
import { Books, type BookUpdate, type LevelChange, type VenueEvent } from "../../src/venues/index.js";
import { randomOf } from "../support/random.js";

const NOW = 1_714_550_400_000_000_000n;

function levels(...pairs: readonly (readonly [string, string])[]): LevelChange[] {
  return pairs.map(([px, sz]) => ({ px, sz }));
}

function update(values: Partial<BookUpdate>): BookUpdate {
  return {
    type: "book",
    venue: "v",
    symbol: "ABC",
    ts_local: NOW,
    action: "change",
    bids: [],
    asks: [],
    ...values,
  };
}

/** Bids and asks of the depth rows among events, and what else there is by its kind. */
function shown(events: readonly VenueEvent[]): unknown[] {
  return events.map((event) => {
    if (event.type === "depth") return { bids: event.bids, asks: event.asks };
    return event.type === "system_event" ? event.kind : event.type;
  });
}

const SNAPSHOT = update({
  action: "fetched",
  bids: levels(["10", "1"], ["9", "1"]),
  asks: levels(["11", "1"]),
  last: 100n,
});

test("changes that came before the snapshot was fetched take their place behind it, and give no row", () => {
  const books = new Books(2);
  assert.deepEqual(books.take(update({ bids: levels(["8", "5"]), last: 95n, previous: 90n })), []);
  assert.deepEqual(books.take(update({ bids: levels(["10", "3"]), last: 105n, previous: 95n })), []);
  assert.deepEqual(books.take(SNAPSHOT), []);
  const rows = books.take(update({ asks: levels(["12", "4"]), last: 110n, previous: 105n }));
  assert.deepEqual(shown(rows), [
    {
      bids: [
        ["10", "3"],
        ["9", "1"],
      ],
      asks: [
        ["11", "1"],
        ["12", "4"],
      ],
    },
  ]);
  assert.deepEqual(books.counts, { gaps: 0, stale: 0, early: 2, crossed: 0 });
});

test("a missing change is told once, and there is no depth until the next snapshot", () => {
  const books = new Books(2);
  books.take(SNAPSHOT);
  books.take(update({ last: 105n, previous: 99n }));
  const [gap, ...others] = books.take(update({ bids: levels(["10", "7"]), last: 120n, previous: 110n }));
  assert.deepEqual(others, []);
  assert.ok(gap?.type === "system_event");
  assert.deepEqual(
    [gap.kind, gap.component, gap.attributes],
    [
      "data_gap",
      "v",
      { table: "market_data", symbol: "ABC", kind: "depth", reason: "venue", last: "120", previous: "110" },
    ],
  );
  assert.deepEqual(books.take(update({ bids: levels(["10", "8"]), last: 121n, previous: 120n })), []);
  assert.deepEqual(books.take({ ...SNAPSHOT, last: 119n }), []);
  assert.deepEqual(shown(books.take(update({ asks: levels(["11", "2"]), last: 122n, previous: 121n }))), [
    {
      bids: [
        ["10", "8"],
        ["9", "1"],
      ],
      asks: [["11", "2"]],
    },
  ]);
  assert.deepEqual(books.counts, { gaps: 1, stale: 0, early: 2, crossed: 0 });
});

test("a snapshot older than the changes that wait for it is no beginning", () => {
  const books = new Books(2);
  books.take(update({ last: 205n, previous: 200n }));
  assert.deepEqual(shown(books.take(SNAPSHOT)), ["data_gap"]);
  assert.deepEqual(books.take({ ...SNAPSHOT, last: 203n }), []);
  assert.equal(books.take(update({ last: 206n, previous: 205n, asks: levels(["11", "0"]) })).length, 1);
});

test("a change that came twice or late is left out, one that changes no stored level gives no row", () => {
  const books = new Books(1);
  books.take(SNAPSHOT);
  const change = update({ bids: levels(["10", "2"]), last: 105n, previous: 100n });
  assert.equal(books.take(change).length, 1);
  assert.deepEqual(books.take(change), []);
  assert.deepEqual(books.take(update({ bids: levels(["10", "9"]), last: 104n, previous: 99n })), []);
  assert.deepEqual(books.take(update({ bids: levels(["9", "3"]), last: 106n, previous: 105n })), []);
  assert.deepEqual(books.counts, { gaps: 0, stale: 2, early: 0, crossed: 0 });
});

test("a crossed book is stored as it is, and counted", () => {
  const books = new Books(1);
  books.take(update({ action: "snapshot", bids: levels(["10", "1"]), asks: levels(["11", "1"]) }));
  const rows = books.take(update({ bids: levels(["11.5", "2"]) }));
  assert.deepEqual(shown(rows), [{ bids: [["11.5", "2"]], asks: [["11", "1"]] }]);
  assert.equal(books.counts.crossed, 1);
});

test("levels that go by ids take their prices from the snapshot; an unknown id is a gap", () => {
  const books = new Books(2);
  const sell = (px: string | undefined, sz: string, id: string): LevelChange => ({ px, sz, id });
  books.take(update({ action: "snapshot", asks: [sell("11", "1", "a"), sell("12", "1", "b")] }));
  assert.deepEqual(shown(books.take(update({ asks: [sell(undefined, "5", "b")] }))), [
    {
      bids: [],
      asks: [
        ["11", "1"],
        ["12", "5"],
      ],
    },
  ]);
  assert.deepEqual(shown(books.take(update({ asks: [sell(undefined, "0", "a")] }))), [
    { bids: [], asks: [["12", "5"]] },
  ]);
  assert.deepEqual(shown(books.take(update({ asks: [sell(undefined, "2", "a")] }))), ["data_gap"]);
  assert.deepEqual(books.take(update({ asks: [sell(undefined, "2", "b")] })), []);
});

test("over a connection that loses, repeats and delays, every depth row is what the venue's book was then", (t) => {
  const pick = randomOf(t);
  const DEPTH = 3;
  const truth = { bids: new Map<string, string>(), asks: new Map<string, string>() };
  const topOf = (side: "bids" | "asks"): string[][] =>
    [...truth[side]]
      .sort(([one], [other]) => (side === "bids" ? Number(other) - Number(one) : Number(one) - Number(other)))
      .slice(0, DEPTH);
  const history = new Map<bigint, string>();
  const remember = (number: bigint): void => {
    history.set(number, JSON.stringify([topOf("bids"), topOf("asks")]));
  };
  const books = new Books(DEPTH);
  let number = 1n;
  let [rows, gaps] = [0, 0];
  let stored = "";
  const take = (each: BookUpdate): void => {
    for (const event of books.take(each)) {
      if (event.type !== "depth") {
        gaps += 1;
        continue;
      }
      rows += 1;
      const said = JSON.stringify([event.bids, event.asks]);
      assert.equal(said, history.get(event.exchange_seq as bigint), `the book at ${event.exchange_seq}`);
      assert.notEqual(said, stored, "a row says something new");
      stored = said;
    }
  };
  const fetches: { answer: BookUpdate; at: number }[] = [];
  const all = (side: "bids" | "asks"): LevelChange[] => levels(...truth[side]);
  remember(number);
  for (let step = 0; step < 20_000; step += 1) {
    const previous = number;
    number += BigInt(1 + pick.below(3));
    const side = pick.of(["bids", "asks"] as const);
    const px = (side === "bids" ? 100 - pick.below(20) : 95 + pick.below(20)).toFixed(1);
    const sz = pick.of(["0", "0.000", "1", "2.50"]);
    if (Number(sz) === 0) truth[side].delete(px);
    else truth[side].set(px, sz);
    remember(number);
    const change = update({ [side]: levels([px, sz]), last: number, previous });
    if (pick.below(200) > 0) take(change);
    if (pick.below(50) === 0) take(change);
    // A fetch takes a while: changes that are newer come before its answer.
    if (pick.below(60) === 0) {
      const answer = update({ action: "fetched", bids: all("bids"), asks: all("asks"), last: number });
      fetches.push({ answer, at: step + pick.below(20) });
    }
    while (fetches[0] !== undefined && fetches[0].at <= step) take(fetches.shift()!.answer);
  }
  assert.ok(rows > 1000 && gaps > 20, `${rows} rows, ${gaps} gaps`);
  assert.equal(books.counts.gaps, gaps);
});
