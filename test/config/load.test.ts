import assert from "node:assert/strict";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { zstdCompress } from "../../src/base/zstd.js";
import { ConfigError } from "../../src/config/issues.js";
import { KEYS } from "../../src/config/keys.js";
import { type LoadOptions, loadConfig } from "../../src/config/load.js";
import { exampleFile, showConfig } from "../../src/config/show.js";
import { temporaryFolder } from "../support/folder.js";

/** The issues of a configuration, as `path: message` lines. */
function mistakes(options: LoadOptions): string[] {
  try {
    loadConfig(options);
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    return error.issues.map(({ path, message }) => `${path}: ${message}`);
  }
  return [];
}

test("defaults alone are a valid configuration with units resolved", async (t) => {
  const { config, originOf } = loadConfig({ env: {}, cwd: await temporaryFolder(t) });
  assert.equal(config.tables.market_data.flush.age, 250);
  assert.equal(config.tables.market_data.flush.bytes, 8 * 1024 * 1024);
  assert.equal(config.tables.market_data.class, "best_effort");
  assert.equal(config.tables.orders.class, "critical");
  assert.equal(originOf("memory.max"), "default");
});

test("file, environment and flags override in this order, and each value knows its origin", async (t) => {
  const cwd = await temporaryFolder(t);
  await writeFile(join(cwd, "coldpath.yaml"), "recorder:\n  id: a\n  env: a\nlog: { level: warn }\n");
  const loaded = loadConfig({
    env: { COLDPATH_RECORDER_ENV: "b", COLDPATH_LOG_LEVEL: "error", COLDPATH_TABLES_ORDERS_FLUSH_ROWS: "7" },
    set: ["log.level=debug"],
    cwd,
  });
  const { config, originOf } = loaded;
  assert.deepEqual(
    [config.recorder.id, config.recorder.env, config.log.level, config.tables.orders.flush.rows],
    ["a", "b", "debug", 7],
  );
  assert.deepEqual(
    [originOf("recorder.id"), originOf("recorder.env"), originOf("log.level")],
    ["coldpath.yaml:2", "COLDPATH_RECORDER_ENV", "--set"],
  );
});

test("relative folders count from the file that names them", async (t) => {
  const cwd = await temporaryFolder(t);
  await mkdir(join(cwd, "etc"));
  await writeFile(join(cwd, "etc", "c.yaml"), "data_dir: ./d\n");
  assert.equal(loadConfig({ file: "etc/c.yaml", env: {}, cwd }).config.data_dir, join(cwd, "etc", "d"));
  assert.equal(loadConfig({ env: {}, set: ["data_dir=d"], cwd }).config.data_dir, join(cwd, "d"));
});

test("the default data folder stands beside the configuration file, else in the working folder", async (t) => {
  const cwd = await temporaryFolder(t);
  await mkdir(join(cwd, "etc"));
  await writeFile(join(cwd, "etc", "c.yaml"), "log: { level: warn }\n");
  assert.equal(loadConfig({ file: "etc/c.yaml", env: {}, cwd }).config.data_dir, join(cwd, "etc", "data"));
  assert.equal(loadConfig({ env: {}, cwd }).config.data_dir, join(cwd, "data"));
});

test("groups left empty in the file, and an empty COLDPATH_CONFIG, are as good as absent", async (t) => {
  const cwd = await temporaryFolder(t);
  await writeFile(join(cwd, "coldpath.yaml"), "admin:\ntables: { orders: { flush: } }\nlog: { level: }\n");
  assert.deepEqual(mistakes({ env: { COLDPATH_CONFIG: "" }, cwd }), []);
});

test("market data has a ladder while it is best effort, unless the configuration has another or none", async (t) => {
  const cwd = await temporaryFolder(t);
  const stepsOf = (...set: string[]): string[] =>
    loadConfig({ env: {}, set, cwd }).config.tables.market_data.degrade.map((step) => step.do);
  assert.deepEqual(stepsOf(), [
    "dedup",
    "sample",
    "sample",
    "sample",
    "conflate",
    "drop_quotes",
    "drop_trades",
  ]);
  assert.deepEqual(stepsOf("tables.market_data.class=critical"), []);
  assert.deepEqual(stepsOf("tables.market_data.degrade="), []);
  await writeFile(
    join(cwd, "coldpath.yaml"),
    "tables: { market_data: { degrade: [{ do: dedup, enter: 60% }, { do: drop_trades, stay: 1m }] } }",
  );
  const loaded = loadConfig({ env: {}, cwd });
  const shown = showConfig(loaded).find(({ path }) => path === "tables.market_data.degrade");
  assert.equal(
    shown?.value,
    "[{ do: dedup, enter: 60%, leave: 40%, stay: 5s }, { do: drop_trades, leave: 67%, stay: 1m }]",
  );
});

test("a password on the command line is refused and not repeated", async (t) => {
  const found = mistakes({ env: {}, set: ["clickhouse.password=SECRET"], cwd: await temporaryFolder(t) });
  assert.equal(found.length, 1);
  assert.match(found[0]!, /^clickhouse\.password: not on the command line/);
  assert.ok(!found[0]!.includes("SECRET"));
});

test("packing that this Node has not is a mistake", {
  skip: zstdCompress !== undefined && "this Node has it",
}, async (t) => {
  const found = mistakes({
    env: {},
    set: ["clickhouse.compression=zstd"],
    cwd: await temporaryFolder(t),
  });
  assert.match(found[0]!, /^clickhouse\.compression: Node/);
});

test("a named file that is missing is a mistake; an absent default file is not", async (t) => {
  const cwd = await temporaryFolder(t);
  assert.match(mistakes({ file: "gone.yaml", env: {}, cwd })[0]!, /cannot read .*gone\.yaml/);
  assert.deepEqual(mistakes({ env: {}, cwd }), []);
});

test("a log's folder that is a file is a mistake", async (t) => {
  const cwd = await temporaryFolder(t);
  await writeFile(join(cwd, "log"), "");
  const found = mistakes({ env: {}, set: ["wal.dir=log"], cwd });
  assert.deepEqual(found, [`wal.dir: cannot write: ${join(cwd, "log")} is no folder (--set)`]);
});

test("critical tables are durable by the log and others have a spool, unless it is said", () => {
  const config = loadConfig({
    env: {},
    values: {
      tables: {
        market_data: { class: "critical" },
        orders: { durability: "memory" },
        mine: {},
        ticks: { class: "best_effort" },
      },
    },
    cwd: "/",
  }).config;
  const durability = Object.entries(config.tables).map(([name, table]) => [name, table.durability]);
  assert.deepEqual(
    { ...Object.fromEntries(durability), disk: config.wal.emergency_disk },
    {
      market_data: "wal",
      orders: "memory",
      fills: "wal",
      positions_intraday: "wal",
      account_state: "wal",
      risk_decisions: "wal",
      guardrail_transitions: "wal",
      system_events: "wal",
      mine: "wal",
      ticks: "spool",
      disk: 0.9,
    },
  );
});

test("a data folder that cannot be written is a mistake", {
  skip: process.getuid?.() === 0 && "root can write anywhere",
}, async (t) => {
  const cwd = await temporaryFolder(t);
  await chmod(cwd, 0o500);
  t.after(() => chmod(cwd, 0o700));
  assert.match(mistakes({ env: {}, set: ["data_dir=d"], cwd })[0]!, /^data_dir: cannot write into/);
});

test("the password comes from its file or the environment, and is shown nowhere", async (t) => {
  const cwd = await temporaryFolder(t);
  await writeFile(join(cwd, "pw"), "hunter2\n");
  const fromFile = loadConfig({ env: {}, set: ["clickhouse.password_file=pw"], cwd });
  assert.equal(fromFile.config.clickhouse.password, "hunter2");
  const fromEnv = loadConfig({ env: { COLDPATH_CLICKHOUSE_PASSWORD: "hunter3" }, cwd });
  assert.equal(fromEnv.config.clickhouse.password, "hunter3");
  assert.ok(!JSON.stringify([showConfig(fromFile), showConfig(fromEnv)]).includes("hunter"));
});

test("an empty password file is refused, one that everybody can read is warned of", async (t) => {
  const cwd = await temporaryFolder(t);
  await writeFile(join(cwd, "pw"), "\n", { mode: 0o600 });
  assert.match(mistakes({ env: {}, set: ["clickhouse.password_file=pw"], cwd })[0]!, /pw is empty/);
  await writeFile(join(cwd, "pw"), "hunter2\r\n");
  const safe = loadConfig({ env: {}, set: ["clickhouse.password_file=pw"], cwd });
  assert.deepEqual([safe.config.clickhouse.password, safe.warnings], ["hunter2", []]);
  await chmod(join(cwd, "pw"), 0o644);
  const { warnings } = loadConfig({ env: {}, set: ["clickhouse.password_file=pw"], cwd });
  assert.match(
    warnings[0]!,
    /^clickhouse\.password_file: every user of this machine can read .*pw; chmod 600 it$/,
  );
});

test("a password that would travel unencrypted is warned of", async (t) => {
  const cwd = await temporaryFolder(t);
  const warningsOf = (url: string, env: Record<string, string>): readonly string[] =>
    loadConfig({ env, set: [`clickhouse.url=${url}`], cwd }).warnings;
  const env = { COLDPATH_CLICKHOUSE_PASSWORD: "hunter2" };
  const plain = "https://h:8443,http://127.evil.example:8123,HTTP://h:8123";
  assert.deepEqual(warningsOf(plain, env), [
    "clickhouse.url: http://127.evil.example:8123 gets the password unencrypted; use https://",
    "clickhouse.url: HTTP://h:8123 gets the password unencrypted; use https://",
  ]);
  assert.deepEqual(warningsOf("http://127.0.0.1:1,http://[::1]:1,http://localhost:1,https://h", env), []);
  assert.deepEqual(warningsOf("http://h:8123", {}), []);
});

test("clickhouse.url is one address or a list, in the file and in the environment", async (t) => {
  const cwd = await temporaryFolder(t);
  const urls = ["http://a:8123", "http://b:8123"];
  await writeFile(join(cwd, "coldpath.yaml"), `clickhouse: { url: [${urls.map((url) => `"${url}"`)}] }\n`);
  assert.deepEqual(loadConfig({ env: {}, cwd }).config.clickhouse.url, urls);
  const one = loadConfig({ env: { COLDPATH_CLICKHOUSE_URL: urls[1] }, cwd }).config.clickhouse.url;
  assert.deepEqual(one, [urls[1]]);
  const set = loadConfig({ env: {}, set: [`clickhouse.url=${urls.join(",")}`], cwd });
  assert.deepEqual(set.config.clickhouse.url, urls);
  assert.equal(showConfig(set).find(({ path }) => path === "clickhouse.url")!.value, urls.join(","));
  const twice = mistakes({ env: {}, set: ["clickhouse.url=http://a:1,http://a:1/"], cwd });
  assert.match(twice[0]!, /or a list of different ones/);
});

test("the file that init writes is valid, and stays valid with every line uncommented", async (t) => {
  const cwd = await temporaryFolder(t);
  const uncommented = exampleFile()
    .split("\n")
    .filter((line) => /^# {1,}[\w ]+:/.test(line) && !/:\s+#/.test(line.replace(/^# /, "")))
    .filter((line) => !line.includes("carry units") && !line.includes("Check it"))
    .map((line) => line.slice(2))
    .join("\n");
  await writeFile(join(cwd, "coldpath.yaml"), exampleFile());
  assert.deepEqual(mistakes({ env: {}, cwd }), []);
  await writeFile(join(cwd, "coldpath.yaml"), uncommented);
  assert.deepEqual(mistakes({ env: {}, cwd }), []);
  assert.ok(uncommented.includes("rows: 50000"));
});

test("every key has a description, and environment names are unique", () => {
  for (const key of KEYS) assert.notEqual(key.description, "", key.path);
  const names = KEYS.map(({ env }) => env).filter((env) => env !== "");
  assert.equal(new Set(names).size, names.length);
});
