import assert from "node:assert/strict";
import { test } from "node:test";
import type { RecorderEvent } from "../../src/recorder.js";
import { eventLevel } from "../../src/service/event-level.js";

test("what an operator must know of an outage or a disk is logged above info, that it is over at info", () => {
  const link = (to: string): string => eventLevel({ kind: "link", to } as RecorderEvent);
  assert.deepEqual(["down", "degraded", "recovering", "up"].map(link), ["error", "warn", "info", "info"]);
  const log = (to: string, refusing?: string): string =>
    eventLevel({ kind: "wal_state", to, refusing } as RecorderEvent);
  assert.deepEqual(
    ["full", "nearly_full", "slow", "ok"].map((to) => log(to)),
    ["error", "warn", "warn", "info"],
  );
  assert.equal(log("nearly_full", "wal_max"), "error");
});

test("each step of a ladder is one warning; what an operator should look after is one as it begins, and rows that do not add up are an error", () => {
  const levelOf = (event: object): string => eventLevel(event as RecorderEvent);
  const steps = [
    { from: 0, to: 2 },
    { from: 2, to: 1 },
  ];
  assert.deepEqual(
    steps.map((step) => levelOf({ kind: "level", ...step })),
    ["warn", "warn"],
  );
  const kinds = ["condition", "conservation"] as const;
  assert.deepEqual(
    kinds.map((kind) => [true, false].map((holds) => levelOf({ kind, holds }))),
    [
      ["warn", "info"],
      ["info", "error"],
    ],
  );
});
