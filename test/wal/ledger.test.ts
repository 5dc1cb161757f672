import assert from "node:assert/strict";
import { test } from "node:test";
import type { KeyedAnswer } from "../../src/buffer/row-group.js";
import { Ledger } from "../../src/wal/ledger.js";
import { randomOf } from "../support/random.js";

const TTL = 1000;

function answer(key: string, at: number, text = "{}"): KeyedAnswer {
  return { key, bodyHash: "ab".repeat(32), status: 200, answer: text, at };
}

function ledgerAt(clock: { now: number }, maxBytes = 1e9): Ledger {
  return new Ledger({ ttlMs: TTL, maxBytes, now: () => clock.now });
}

function settle(ledger: Ledger, ordinal: number, of: KeyedAnswer): void {
  ledger.claim(of.key);
  ledger.finish(ordinal, of);
}

test("a key is unknown, then in progress, then answered, then after its time unknown again", () => {
  const clock = { now: 5000 };
  const ledger = ledgerAt(clock);
  assert.deepEqual(ledger.find("k"), { kind: "unknown" });
  ledger.claim("k");
  assert.deepEqual(ledger.find("k"), { kind: "in_progress" });
  ledger.finish(3, answer("k", 5000));
  assert.deepEqual(ledger.find("k"), { kind: "done", answered: answer("k", 5000) });
  clock.now = 5000 + TTL - 1;
  assert.equal(ledger.find("k").kind, "done");
  clock.now += 1;
  assert.deepEqual(ledger.find("k"), { kind: "unknown" });
});

test("a request that came to nothing leaves its key free", () => {
  const ledger = ledgerAt({ now: 0 });
  ledger.claim("k");
  assert.throws(() => ledger.claim("k"), /one request at a time/);
  ledger.release("k");
  assert.deepEqual(ledger.find("k"), { kind: "unknown" });
});

test("group ends are covered once the checkpoint that holds them is on disk, and replayed behind it", () => {
  const ledger = ledgerAt({ now: 0 });
  settle(ledger, 4, answer("a", 0));
  ledger.claim("open");
  const { upTo, bytes } = ledger.checkpoint();
  assert.equal(upTo, 4);
  assert.equal(ledger.coveredUpTo, 0, "not before it is on disk");
  ledger.saved({ upTo });
  assert.equal(ledger.coveredUpTo, 4);
  ledger.finish(9, answer("open", 0));
  assert.equal(ledger.coveredUpTo, 4);
  const again = Ledger.restore(bytes, { ttlMs: TTL, maxBytes: 1e9, now: () => 0 });
  assert.equal(again.find("open").kind, "unknown");
  for (const [ordinal, key] of [
    [4, "a"],
    [9, "open"],
  ] as const)
    again.replay(ordinal, answer(key, 0));
  assert.deepEqual(
    ["a", "open"].map((key) => again.find(key).kind),
    ["done", "done"],
  );
});

test("the memory stays below its limit: the oldest answers go first, and that is counted", () => {
  const ledger = ledgerAt({ now: 0 }, 10_000);
  for (let i = 1; i <= 1000; i += 1) {
    settle(ledger, i, answer(`key-${i}`, 0, "x".repeat(i % 50)));
    assert.ok(ledger.bytes <= 10_000);
  }
  assert.equal(ledger.find("key-1000").kind, "done");
  assert.equal(ledger.find("key-1").kind, "unknown");
  assert.equal(ledger.forgottenEarly, 1000 - ledger.size);
});

test("any order of requests, checkpoints, trims and crashes answers as one that forgets nothing would", (t) => {
  const random = randomOf(t);
  const clock = { now: 1_000_000 };
  const options = { ttlMs: TTL, maxBytes: 1e9, now: () => clock.now };
  /** What is on disk: group ends that no trim has taken, and the checkpoint. */
  let log: { readonly ordinal: number; readonly end: KeyedAnswer }[] = [];
  let checkpoint: Uint8Array | undefined;
  let ledger = new Ledger(options);
  let nextOrdinal = 1;
  /** The oracle: every answer ever given. */
  const given = new Map<string, KeyedAnswer>();
  const open: { readonly end: KeyedAnswer; readonly ordinal: number }[] = [];
  const isKnown = (key: string): boolean => (given.get(key)?.at ?? -Infinity) + TTL > clock.now;
  const crash = (): void => {
    // Of the groups on their way the first few are on disk; nobody was told of any.
    for (const each of open.splice(0).slice(0, random.below(4))) {
      log.push(each);
      given.set(each.end.key, each.end);
    }
    ledger = checkpoint === undefined ? new Ledger(options) : Ledger.restore(checkpoint, options);
    for (const { ordinal, end } of log) ledger.replay(ordinal, end);
  };
  const steps: readonly (() => void)[] = [
    () => {
      const key = `k${random.below(40)}`;
      if (open.some(({ end }) => end.key === key)) return assert.equal(ledger.find(key).kind, "in_progress");
      assert.equal(ledger.find(key).kind === "done", isKnown(key), key);
      if (isKnown(key)) return;
      ledger.claim(key);
      if (random() < 0.2) return ledger.release(key);
      const ordinal = nextOrdinal;
      nextOrdinal += 1 + random.below(3);
      open.push({ ordinal, end: answer(key, clock.now, `answer ${ordinal}`) });
    },
    () => {
      const next = open.shift();
      if (next === undefined) return;
      log.push(next);
      ledger.finish(next.ordinal, next.end);
      given.set(next.end.key, next.end);
    },
    () => {
      const taken = ledger.checkpoint();
      if (random() < 0.3) return;
      checkpoint = taken.bytes;
      ledger.saved(taken);
    },
    () => {
      log = log.filter(({ ordinal }) => ordinal > ledger.coveredUpTo);
    },
    () => {
      clock.now += random.below(50);
    },
  ];
  for (let step = 0; step < 20_000; step += 1) {
    if (random() < 0.01) crash();
    else random.of(steps)();
    const key = `k${random.below(40)}`;
    if (open.some(({ end }) => end.key === key)) continue;
    const found = ledger.find(key);
    if (isKnown(key)) assert.deepEqual(found, { kind: "done", answered: given.get(key) });
    else assert.deepEqual(found, { kind: "unknown" });
  }
});
