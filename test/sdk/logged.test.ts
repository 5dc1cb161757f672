import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { after, type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { ConfigInput } from "../../src/config/schema.js";
import { createRecorder } from "../../src/index.js";
import { temporaryFolder } from "../support/folder.js";
import { startMigratedEngine } from "../support/migrated.js";
import { order } from "./logged-fixture.js";
import { recordWhileDying } from "./mortal.js";

const { engine, clickhouse } = await startMigratedEngine({ after });
process.env["COLDPATH_CLICKHOUSE_PASSWORD"] = engine.password;
let places = 0;

/** A place of its own: folder and name of a recorder. */
async function placeOf(t: TestContext, more: ConfigInput = {}): Promise<ConfigInput & { data_dir: string }> {
  places += 1;
  return {
    ...more,
    data_dir: await temporaryFolder(t),
    recorder: { id: `r${places}` },
    clickhouse: { url: engine.url, database: "coldpath" },
  };
}

interface Stored {
  readonly rows: number;
  readonly orders: number;
  /** Of those below the number given. */
  readonly early: number;
}

async function storedOrders({ recorder }: ConfigInput, below = 0): Promise<Stored> {
  const [found] = await clickhouse.rows<Record<keyof Stored, string>>(
    `SELECT count() AS rows, uniqExact(client_order_id) AS orders, uniqExactIf(qty, qty <= ${below}) AS early
     FROM orders WHERE recorder = '${recorder!.id}'`,
  );
  const { rows, orders, early } = found!;
  return { rows: Number(rows), orders: Number(orders), early: Number(early) };
}

test("pipeline threads that die at random moments: each order is stored once, no quote twice, nothing is called lost", async (t) => {
  await recordWhileDying(t, { clickhouse, place: await placeOf(t), deaths: 2 });
});

/** A process that records orders into `place` and says how many of them it knows to be durable. */
async function recordInChild(t: TestContext, place: ConfigInput, rows: number) {
  const program = fileURLToPath(new URL("./durable-child.js", import.meta.url));
  const child = spawn(
    process.execPath,
    [program, JSON.stringify({ config: place, rows, needsFiles: true })],
    {
      stdio: ["pipe", "pipe", "inherit"],
    },
  );
  t.after(() => child.kill("SIGKILL"));
  const lines = createInterface(child.stdout);
  await once(lines, "line");
  return {
    durable: async (): Promise<{ durable: number; appended: number }> => {
      child.stdin.write("go\n");
      const [line] = await once(lines, "line");
      return JSON.parse(line);
    },
    kill: async (): Promise<void> => {
      child.kill("SIGKILL");
      await once(child, "exit");
    },
  };
}

test("what durable() spoke of when its process was killed, and what close() left at its deadline, is stored once by the next", async (t) => {
  // So small that some rows go to files.
  const killed = await placeOf(t, { ring: { size: "1MiB", critical_reserve: "512KiB" } });
  const closed = await placeOf(t);
  const rows = 5000;
  const child = await recordInChild(t, killed, rows);
  const recorder = await createRecorder({ config: closed });
  t.after(() => recorder.close({ deadline: 0 }));
  engine.kill();

  const { durable, appended } = await child.durable();
  await child.kill();
  assert.ok(durable >= rows);
  assert.ok(appended > 0 && appended < durable, `${appended} rows in files`);
  for (let number = 0; number < rows; number += 1) assert.ok(recorder.orders.record(order(number)));
  const { accepted, stored, logged } = (await recorder.close({ deadline: 0 })).tables["orders"]!;
  assert.deepEqual([accepted, stored, logged], [rows, 0, rows]);

  await engine.restart();
  for (const [place, safe] of [
    [killed, durable],
    [closed, rows],
  ] as const) {
    assert.equal((await storedOrders(place)).rows, 0, "ClickHouse had none of them");
    const next = await createRecorder({ config: place });
    t.after(() => next.close({ deadline: 0 }));
    while ((await storedOrders(place, safe)).early < safe) await next.flush();
    await next.close();
    const found = await storedOrders(place, safe);
    assert.deepEqual([found.early, found.rows], [safe, found.orders]);
  }
  assert.equal((await storedOrders(closed)).rows, rows);
});
