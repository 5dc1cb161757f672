import assert from "node:assert/strict";
import { test } from "node:test";
import { browserModule } from "./browser-module.js";

interface Verdict {
  readonly tone: string;
  readonly title: string;
  readonly detail: string;
  readonly notes: readonly { tone: string; text: string }[];
}
type Change = Readonly<Record<string, unknown>>;
const { verdictOf } = await browserModule<{ verdictOf: (report: object) => Verdict }>("verdict");

const TABLE = {
  ...{ offered: 10, stored: 8, pending: { rows: 2, bytes: 9 }, inherited: { pending: 1 } },
  ...{ freshnessSeconds: 0.5, oldestSeconds: 0.2, lastStoredAt: 1_767_605_400 },
  ...{
    level: { index: 0, step: "normal" },
    pressure: { value: 0, cause: "queue" },
    conservation: { holds: true },
  },
};

function report(table: Change = {}, rest: Change = {}): object {
  return {
    at: 1_767_605_475,
    notLanding: [],
    link: { state: "up", reason: "", seconds: 60 },
    wal: { state: "ok", reason: "" },
    rates: { stored: 4 },
    conditions: [],
    ...rest,
    tables: { orders: { ...TABLE, ...table } },
  };
}

test("the first words say whether rows land, and the worst that holds gives the tone", () => {
  const nothing = { offered: 0, stored: 0, pending: { rows: 0 }, inherited: { pending: 0 } };
  const settled = { pending: { rows: 0 }, inherited: { pending: 0 } };
  const still = { rates: { stored: 0 } };
  const link = (state: string): Change => ({ link: { state, reason: "r", seconds: 75 } });
  const cases: readonly (readonly [object, string, RegExp])[] = [
    [report(), "ok", /^Rows are landing$/],
    [report(nothing, still), "idle", /^Ready, and no row has come yet$/],
    [report(settled, still), "ok", /^Quiet: all rows have landed$/],
    [report({ oldestSeconds: 16 }), "warn", /^Rows are landing late$/],
    [report({ level: { index: 2, step: "sample 10ms" } }), "warn", /thinned under load$/],
    [report({ paused: { code: "60", message: "no table" } }), "bad", /^Rows of orders are not landing$/],
    [
      report({ oldestSeconds: 90 }, { notLanding: [{ table: "orders", rows: 3, seconds: 90 }] }),
      "bad",
      /^Rows of orders are not landing$/,
    ],
    [report({}, link("degraded")), "warn", /^ClickHouse has trouble$/],
    [report({}, link("down")), "bad", /^Rows are not landing: ClickHouse has been away for 1 min 15 s$/],
    [report({}, link("recovering")), "warn", /^ClickHouse is back/],
    [
      report({}, { wal: { state: "full", reason: "r", refusing: "wal_max" } }),
      "bad",
      /^Critical rows are refused$/,
    ],
    [report({ conservation: { holds: false } }), "bad", /^Rows are landing$/],
    [report({}, { wal: undefined }), "ok", /^Rows are landing$/],
  ];
  for (const [given, tone, title] of cases) {
    const verdict = verdictOf(given);
    assert.match(verdict.title.replaceAll("\u00a0", " "), title);
    assert.equal(verdict.tone, tone, verdict.title);
  }
});

test("all that is to be looked after is told, the worst first", () => {
  const { notes } = verdictOf(
    report(
      { paused: { code: "60", message: "no table" }, level: { index: 1, step: "dedup" } },
      {
        wal: { state: "slow", reason: "takes 2 s", secondsUntilFull: 600 },
        spool: { ticks: { state: "ok", reason: "", rows: 5, bytes: 2048 } },
        conditions: [{ message: "look here" }],
        replay: { cause: "outage", rows: 10, left: 3, seconds: 4 },
      },
    ),
  );
  assert.deepEqual(
    notes.map(({ tone, text }) => `${tone}: ${text}`.replaceAll("\u00a0", " ")),
    [
      "bad: orders is paused: 60: no table",
      "warn: Overload: orders is at level 1, dedup (pressure 0 %, from queue).",
      "warn: The log is slow: takes 2 s",
      "warn: The log is full in 10 min at this rate.",
      "warn: look here",
      "warn: Replay: 3 of 10 rows from while ClickHouse was away are left after 4 s.",
      "idle: 5 rows of ticks wait in the spool (2 KiB).",
    ],
  );
});

test("of two hundred tables in trouble the first are named, and the others counted", () => {
  const paused = { paused: { code: "60", message: "no table" } };
  const tables = Object.fromEntries(
    Array.from({ length: 200 }, (_, i) => [`t${i}`, { ...TABLE, ...paused }]),
  );
  const { title, notes } = verdictOf({ ...report(), tables });
  assert.equal(title, "Rows of t0, t1, t2 and 197 more tables are not landing");
  assert.equal(notes.length, 9);
  assert.deepEqual(notes.at(-1), { tone: "bad", text: "and 192 more" });
});

test("how long ago the last row landed goes by the service's clock, wherever the page is looked at", () => {
  const settled = { pending: { rows: 0 }, inherited: { pending: 0 } };
  const { detail } = verdictOf(report(settled, { rates: { stored: 0 } }));
  assert.match(detail.replaceAll("\u00a0", " "), /The last one landed 1 min 15 s ago\.$/);
});
