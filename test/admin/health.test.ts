import assert from "node:assert/strict";
import { test } from "node:test";
import type { AdminOptions } from "../../src/admin/server.js";
import { startBare } from "./bare-server.js";

/** A recorder that is asked for its tables alone, all of them at their limit that are named. */
function recorderAtLimit(...full: readonly string[]): AdminOptions["recorder"] {
  const broken = (): never => {
    throw new Error("nobody asks that");
  };
  return {
    ...{ flush: broken, replay: broken, leaveOut: broken, note: broken, keys: undefined, log: undefined },
    stats: () =>
      ({
        tables: {
          orders: { class: "critical" },
          fills: { class: "critical" },
          quotes: { class: "best_effort" },
        },
      }) as never,
    table: (name: string) => ({ full: full.includes(name) }) as never,
  };
}

test("a recorder is ready as long as no critical table refuses rows: best-effort ones drop their oldest, as promised", async (t) => {
  const calm = await startBare(t, { recorder: recorderAtLimit("quotes") });
  assert.equal((await fetch(`${calm.admin.url}/readyz`)).status, 200);
  const pressed = await startBare(t, { recorder: recorderAtLimit("quotes", "fills") });
  const answer = await fetch(`${pressed.admin.url}/readyz`);
  assert.deepEqual([answer.status, await answer.text()], [503, "at their limit: fills\n"]);
});

test("a table whose rows wait while none is stored is named with how many and for how long", async (t) => {
  const live = {
    watch: () => () => {},
    notLanding: [{ table: "orders", rows: 12, seconds: 90 }],
  } as unknown as AdminOptions["live"];
  const { admin } = await startBare(t, { live });
  const answer = await fetch(`${admin.url}/landingz`);
  assert.deepEqual(
    [answer.status, await answer.text()],
    [503, "12 rows of orders wait, none was stored for 1 min 30 s\n"],
  );
});
