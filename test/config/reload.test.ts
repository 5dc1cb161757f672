import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { KEYS } from "../../src/config/keys.js";
import { type LoadedConfig, loadConfig } from "../../src/config/load.js";
import { planReload } from "../../src/config/reload.js";
import { showConfig } from "../../src/config/show.js";
import { temporaryFolder } from "../support/folder.js";

/** Loads a file again and again. */
async function loader(t: TestContext, env: Record<string, string> = {}) {
  const cwd = await temporaryFolder(t);
  return async (yaml: string): Promise<LoadedConfig> => {
    await writeFile(join(cwd, "coldpath.yaml"), yaml);
    return loadConfig({ env, cwd });
  };
}

test("each key says whether a reload is enough or why not; these are the ones for which it is", () => {
  const atOnce = KEYS.filter(({ restart }) => restart === false).map(({ path }) => path);
  const ofTables = atOnce.filter((path) => path.startsWith("tables.*."));
  assert.deepEqual(ofTables, [
    "tables.*.flush.rows",
    "tables.*.flush.bytes",
    "tables.*.flush.age",
    "tables.*.policy.dedup",
    "tables.*.policy.sample",
    "tables.*.policy.conflate",
    "tables.*.policy.series",
    "tables.*.policy.by",
    "tables.*.policy.news",
    "tables.*.policy.time",
    "tables.*.degrade",
  ]);
  assert.deepEqual(
    atOnce.filter((path) => !path.startsWith("tables.")),
    [
      "conditions.drop_rate",
      "conditions.level_held",
      "conditions.landing",
      "conditions.spool_usage",
      "log.level",
    ],
  );
  const unsaid = KEYS.filter(({ restart }) => restart === "it is read at the start");
  assert.deepEqual(unsaid, []);
});

test("what can be applied is, the rest stays with its reason, and each value in force knows where it came from", async (t) => {
  const load = await loader(t);
  const now = await load("tables: { orders: { flush: { rows: 10 } } }\nwal: { commit: 3ms }\n");
  const next = await load(
    "log: { level: debug }\n\ntables: { orders: { flush: { rows: 20, age: 1s } } }\nwal: { commit: 4ms }\n",
  );
  const { applied, needsRestart, inForce } = planReload(now, next);
  assert.deepEqual(applied, [
    { path: "tables.orders.flush.rows", from: "10", to: "20" },
    { path: "tables.orders.flush.age", from: "250ms", to: "1s" },
    { path: "log.level", from: "info", to: "debug" },
  ]);
  assert.deepEqual(needsRestart, [
    { path: "wal.commit", from: "3ms", to: "4ms", reason: "the log was opened with it" },
  ]);
  const shown = (path: string): string => {
    const { value, origin } = showConfig(inForce).find((each) => each.path === path)!;
    return `${value} ${origin}`;
  };
  assert.deepEqual(["tables.orders.flush.rows", "wal.commit", "log.level", "recorder.env"].map(shown), [
    "20 coldpath.yaml:3",
    "3ms coldpath.yaml:2",
    "debug coldpath.yaml:1",
    "dev default",
  ]);
  assert.equal(now.config.tables.orders.flush.rows, 10, "what was in force is not changed behind its back");
  const again = planReload(inForce, next);
  assert.deepEqual([again.applied, again.needsRestart], [[], needsRestart], "what waits, waits still");
});

test("what would contradict a value that waits for a restart waits with it, and other tables do not", async (t) => {
  const load = await loader(t);
  const now = await load("");
  const next = await load(
    "tables: { orders: { flush: { rows: 300000 }, queue: { rows: 400000 } }, fills: { flush: { rows: 7 } } }",
  );
  const { applied, needsRestart, inForce } = planReload(now, next);
  assert.deepEqual(
    applied.map(({ path }) => path),
    ["tables.fills.flush.rows"],
  );
  assert.deepEqual(
    needsRestart.map(({ path }) => path),
    ["tables.orders.flush.rows", "tables.orders.queue.rows"],
  );
  assert.match(needsRestart[0]!.reason, /never fits a queue of 200000/);
  assert.equal(inForce.config.tables.orders.flush.rows, 2000);
});

test("a table's class waits for a restart, and the ladder that follows from it as well", async (t) => {
  const load = await loader(t);
  const next = "tables: { market_data: { class: critical, durability: memory } }";
  const { applied, needsRestart, inForce } = planReload(await load(""), await load(next));
  assert.deepEqual(applied, []);
  assert.deepEqual(
    needsRestart.map(({ path }) => path),
    ["tables.market_data.class", "tables.market_data.durability", "tables.market_data.degrade"],
  );
  assert.equal(inForce.config.tables.market_data.degrade.length, 7);
});

test("tables that come or go wait for a restart as a whole", async (t) => {
  const load = await loader(t);
  const { applied, needsRestart, inForce } = planReload(
    await load("tables: { mine: { flush: { rows: 5 } } }"),
    await load("tables: { yours: {} }"),
  );
  const reason = "tables are opened at the start";
  assert.deepEqual(applied, []);
  assert.deepEqual(needsRestart, [
    { path: "tables.yours", from: null, to: "a table", reason },
    { path: "tables.mine", from: "a table", to: null, reason },
  ]);
  const rows = showConfig(inForce).find(({ path }) => path === "tables.mine.flush.rows");
  assert.deepEqual([rows?.value, rows?.origin], ["5", "coldpath.yaml:1"]);
});

test("a changed password is told without it", async (t) => {
  const cwd = await temporaryFolder(t);
  const load = async (password: string): Promise<LoadedConfig> => {
    await writeFile(join(cwd, "pw"), `${password}\n`, { mode: 0o600 });
    return loadConfig({ env: {}, set: ["clickhouse.password_file=pw"], cwd });
  };
  const now = await load("hunter2");
  const { needsRestart, inForce } = planReload(now, await load("hunter3"));
  assert.deepEqual(
    needsRestart.map(({ path, from, to }) => [path, from, to]),
    [["clickhouse.password", "***", "***"]],
  );
  assert.equal(inForce.originOf("clickhouse.password"), "--set");
  assert.ok(!JSON.stringify([needsRestart, showConfig(inForce)]).includes("hunter"));
});
