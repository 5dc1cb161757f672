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
