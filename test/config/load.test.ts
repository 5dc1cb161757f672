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

/** A configuration with these steps for market_data. */
function ladderOf(steps: string): string {
  return `tables: { market_data: { degrade: [${steps}] } }`;
}

const BROKEN: readonly (readonly [yaml: string, ...expected: string[]])[] = [
  ["recorde: { id: x }", "recorde: unknown key; did you mean recorder? (coldpath.yaml:1)"],
  [
    "tables:\n  orders: { flush: { ag: 1s } }",
    "tables.orders.flush.ag: unknown key; did you mean age? (coldpath.yaml:2)",
  ],
  [
    "tables: { mine: { clas: critical } }",
    "tables.mine.clas: unknown key; did you mean class? (coldpath.yaml:1)",
  ],
  [
    "memory: { max: 128 }",
    "memory.max: 128 is not a size with unit (B, KiB, MiB, GiB, TiB), from 16MiB to 1TiB (coldpath.yaml:1)",
  ],
  ["memory: { max: 128MB }", 'memory.max: "128MB" is not a size with unit'],
  ["memory: { max: 1MiB }", 'memory.max: "1MiB" is not a size with unit (B, KiB, MiB, GiB, TiB), from 16MiB'],
  ["accept: { past: 30 }", "accept.past: 30 is not a duration with unit"],
  [
    "accept: { past: 60y }",
    'accept.past: "60y" is not a duration with unit (ms, s, m, h, d, y), from 1ms to 50y',
  ],
  ["tables: { orders: { flush: { age: -1s } } }", 'tables.orders.flush.age: "-1s" is not a duration'],
  [
    "tables: { orders: { flush: { rows: 1.5 } } }",
    "tables.orders.flush.rows: 1.5 is not a whole number from 1",
  ],
  [
    "tables: { orders: { class: vital } }",
    'tables.orders.class: "vital" is not one of critical, best_effort',
  ],
  ["tables: { orders: [] }", "tables.orders: [] is not a group of keys (coldpath.yaml:1)"],
  [
    "tables: { orders: { flush: { rows: 300000 } } }",
    "tables.orders.flush.rows: a batch of 300000 rows never fits a queue of 200000; raise queue.rows or lower flush.rows",
  ],
  [
    "tables: { orders: { flush: { bytes: 100MiB } } }",
    "tables.orders.flush.bytes: must be at most half of memory.max",
  ],
  [
    "intake: { http: { memory: 1MiB } }",
    "intake.http.memory: must be at least intake.http.max_body, 32MiB: the largest body must fit",
  ],
  [
    "tables: { orders: { durability: spool } }",
    "tables.orders.durability: spool is for best_effort tables: it drops the oldest rows when it is full; wal never does",
  ],
  [
    "tables: { market_data: { flush: { bytes: 12MiB }, spool: { max: 16MiB } } }",
    "tables.market_data.spool.max: must be at least 24MiB: a batch goes to disk as a whole, and another must be dropped for it",
  ],
  ["spool: { dir: ./data/wal }", "spool.dir: is wal.dir, too: give it a folder of its own"],
  ["spool: { dir: ./data }", "spool.dir: is data_dir, too: give it a folder of its own"],
  ["spool: { order: sideways }", "spool.order"],
  ["spool: { after: 1ms }", "spool.after"],
  [
    "tables: { orders: { class: best_effort, durability: wal } }",
    "tables.orders.durability: wal is for critical tables",
  ],
  [
    "tables: { orders: { policy: { conflate: 1s, by: [symbol], time: ts } } }",
    "tables.orders.policy.conflate: holds rows back in memory",
  ],
  [
    "wal: { segment: 512MiB, max: 1GiB, reserve: 2GiB, dir: coldpath.yaml }",
    "wal.segment: must be at most a quarter of wal.max, 1GiB",
    "wal.reserve: must be at most wal.max, 1GiB",
  ],
  [
    "tables: { orders: { degrade: [{ do: drop }] } }",
    "tables.orders.degrade: is for best_effort tables: a critical row is never left out, it waits in the log",
  ],
  [
    ladderOf("{ do: sample, every: 50ms, enter: 50% }, { do: dedup, enter: 60% }, { do: drop_trades }"),
    "tables.market_data.degrade.1.do: dedup comes before sample: a ladder goes from the gentlest step to the hardest",
  ],
  [
    ladderOf("{ do: drop_trades, enter: 90% }, { do: drop_quotes, enter: 95% }"),
    "tables.market_data.degrade.1.do: drop_quotes comes before drop_trades",
    "tables.market_data.degrade: ends without drop_trades: a full table has to drop rows in the end",
  ],
  [
    ladderOf("{ do: dedup, enter: 60% }, { do: dedup, enter: 70% }, { do: drop_trades }"),
    "tables.market_data.degrade.1.do: dedup stands there twice",
  ],
  [
    ladderOf("{ do: dedup, enter: 60% }, { do: sample, every: 10ms, enter: 60% }, { do: drop_trades }"),
    "tables.market_data.degrade.1.enter: must be above 60%, that of the step before",
  ],
  [
    ladderOf("{ do: dedup, enter: 60%, leave: 60% }, { do: drop_trades }"),
    "tables.market_data.degrade.0.leave: must be below enter, 60%: the level would be left as soon as it is entered",
  ],
  [
    ladderOf("{ do: dedup, enter: 60%, leave: 50% }, { do: drop_trades, leave: 40% }"),
    "tables.market_data.degrade.1.leave: must be at least 50%, that of the step before",
  ],
  [
    ladderOf(
      "{ do: sample, every: 50ms, enter: 60% }, { do: sample, every: 50ms, enter: 70% }, { do: drop_trades }",
    ),
    "tables.market_data.degrade.1.every: must be above 50ms, that of the step before: intervals rise",
  ],
  [
    ladderOf(
      "{ do: sample, every: 50ms, enter: 60% }, { do: conflate, every: 10ms, enter: 70% }, { do: drop_trades }",
    ),
    "tables.market_data.degrade.1.every: must be above 50ms",
  ],
  [
    ladderOf("{ do: sample, enter: 60% }, { do: drop_trades }"),
    "tables.market_data.degrade.0.every: sample needs an interval, such as 50ms",
  ],
  [
    ladderOf("{ do: dedup, every: 50ms, enter: 60% }, { do: drop_trades }"),
    "tables.market_data.degrade.0.every: dedup has no interval: leave it out",
  ],
  [
    ladderOf("{ do: dedup }, { do: drop_trades }"),
    "tables.market_data.degrade.0.enter: dedup needs a pressure to be entered at, such as 60%",
  ],
  [
    ladderOf("{ do: drop_quotes }, { do: drop_trades, enter: 90% }"),
    "tables.market_data.degrade.1.enter: the step before has none: leave it out here, too",
  ],
  [
    ladderOf("{ do: drop }"),
    "tables.market_data.degrade.0.do: market_data has drop_quotes and drop_trades for this",
  ],
  [
    ladderOf("{ do: dedup, enter: 60% }, { do: drop_trades, stay: 0s }"),
    'tables.market_data.degrade.1.stay: "0s" is not a duration with unit (ms, s, m, h, d, y), from 1ms to 1h (coldpath.yaml:1)',
  ],
  [
    ladderOf("{ do: sleep, enter: 120% }"),
    ...["do", "enter"].map((key) => `tables.market_data.degrade.0.${key}: `),
  ],
  [
    "tables: { mine: { class: best_effort, degrade: [{ do: drop_quotes }] } }",
    "tables.mine.degrade.0.do: is for market_data; mine has drop for this",
  ],
  [
    "tables: { mine: { class: best_effort, degrade: [{ do: dedup, enter: 50% }, { do: sample, every: 1s, enter: 60% }, { do: drop }] } }",
    "tables.mine.policy.by: names the columns that tell one series of mine from another, for degrade",
    "tables.mine.policy.news: names the columns of mine whose change makes a row news, for degrade",
    "tables.mine.policy.time: names the time column of mine that intervals are counted by, for degrade",
  ],
  [
    "memory: { max: 16MiB, critical_reserve: 75% }",
    "tables.market_data.flush.bytes: one batch does not fit 4MiB: memory.max without memory.critical_reserve",
  ],
  [
    "memory: { critical_reserve: 95% }",
    'memory.critical_reserve: "95%" is not a percentage (%), from 0% to 90%',
  ],
  ["wal: { emergency_disk: 0.9 }", "wal.emergency_disk: 0.9 is not a percentage (%), from 50% to 100%"],
  ["wal: { emergency_disk: 101% }", 'wal.emergency_disk: "101%" is not a percentage'],
  ["schemas: 5", "schemas: 5 is not a list"],
  ["data_dir: [a]", 'data_dir: ["a"] is not text'],
  [
    "clickhouse.url: http://x",
    "clickhouse.url: unknown key; nest it: clickhouse: { url: … } (coldpath.yaml:1)",
  ],
  ["clickhouse: { tls.ca_file: }", "clickhouse.tls.ca_file: unknown key; nest it: tls: { ca_file: … }"],
  [
    "tables: { orders: { flsh: } }\nzzz:",
    "tables.orders.flsh: unknown key; did you mean flush?",
    "zzz: unknown key",
  ],
  [
    "admin: { listen: '127.0.0.1:99999' }",
    'admin.listen: "127.0.0.1:99999" is not an address with port up to 65535',
  ],
  ["engine: { listen: 'localhost:65536' }", 'engine.listen: "localhost:65536" is not a loopback address'],
  [
    "clickhouse: { url: 'http://h', tls: { server_name: x } }",
    "clickhouse.tls: is for https, and clickhouse.url is http://h; write https:// there, or leave tls out",
  ],
  ["clickhouse: { tls: { server_name: x } }", "clickhouse.tls: is for https, and clickhouse.url is not set"],
  ...(zstdCompress === undefined
    ? [["clickhouse: { compression: zstd }", "clickhouse.compression: Node"] as const]
    : []),
  ["clickhouse: { tls: { ca_file: nowhere } }", "clickhouse.tls.ca_file: cannot read it: ENOENT"],
  ["clickhouse: { tls: { cert_file: ., key_file: . } }", "clickhouse.tls.key_file: cannot read it: EISDIR"],
  ["clickhouse: { url: 'ftp://x' }", 'clickhouse.url: "ftp://x" is not an http:// or https:// address'],
  ...["http://u:SECRET@x", "HTTP://u:SECRET@h:8123", "http://u:SECRET/4@h", "http:u:SECRET@h"].map(
    (url) =>
      [`clickhouse: { url: '${url}' }`, "clickhouse.url: *** is not an http:// or https:// address"] as const,
  ),
  [
    "clickhouse: { url: 'http://h/?user=u&password=SECRET' }",
    "clickhouse.url: *** is not an http:// or https://",
  ],
  ["clickhouse: { url: ['http://u:SECRET@h'] }", "clickhouse.url: *** is not an http:// or https://"],
  [
    "clickhouse: { password: hunter2 }",
    "clickhouse.password: not in a file: use COLDPATH_CLICKHOUSE_PASSWORD",
  ],
  ["clickhouse: { password_file: nowhere }", "clickhouse.password_file: cannot read it: ENOENT"],
  ["clickhouse: { database: 'a;b' }", 'clickhouse.database: "a;b" is not a plain identifier'],
  ["clickhouse: { replica_name: r1 }", 'clickhouse.replica_name: "r1" is not a name with a macro'],
  ["clickhouse: { keeper_path: '/x/{table}' }", 'clickhouse.keeper_path: "/x/{table}" is not a path from /'],
  [
    "clickhouse: { keeper_path: '/{shard}/{uuid}' }",
    'clickhouse.keeper_path: "/{shard}/{uuid}" is not a path',
  ],
  [
    "clickhouse: { keeper_path: '/x/{replica}' }",
    "clickhouse.keeper_path: has all that tells replicas apart, {replica}",
  ],
  ["clickhouse: { tls: { cert_file: a } }", "clickhouse.tls: cert_file and key_file go together"],
  ["engine: { listen: '0.0.0.0:8123' }", 'engine.listen: "0.0.0.0:8123" is not a loopback address'],
  ["schemas: [nowhere]", "schemas.0: no such folder"],
  ["recorder: { id: 'a b' }", 'recorder.id: "a b" is not 1 to 64 letters'],
  ["log: { level: loud }", 'log.level: "loud" is not one of debug, info, warn, error'],
  ["a: 1\na: 2", ": coldpath.yaml: Map keys must be unique"],
  ["just text", ": coldpath.yaml: expected keys and values at the top"],
  ["log: { level: [", ": coldpath.yaml: "],
  ["__proto__: { x: 1 }", "__proto__: unknown key"],
  [
    "log: { level: loud }\nmemory: { max: 5 }\nfoo: 1",
    'log.level: "loud" is not',
    "memory.max: 5 is not",
    "foo: unknown key",
  ],
];

for (const [yaml, ...expected] of BROKEN) {
  test(`refused: ${JSON.stringify(yaml)}`, async (t) => {
    const cwd = await temporaryFolder(t);
    await writeFile(join(cwd, "coldpath.yaml"), `${yaml}\n`);
    const found = mistakes({ env: {}, cwd });
    for (const line of expected) {
      assert.ok(
        found.some((each) => each.startsWith(line)),
        `expected ${line}\nfound ${found.join("\n")}`,
      );
    }
    assert.ok(!found.join().includes("hunter2") && !found.join().includes("SECRET"));
  });
}

test("an unknown environment variable of ours is a mistake, with the nearest name", async (t) => {
  const found = mistakes({ env: { COLDPATH_CLICKHOUSE_URLL: "x" }, cwd: await temporaryFolder(t) });
  assert.deepEqual(found, ["COLDPATH_CLICKHOUSE_URLL: no such key; nearest is COLDPATH_CLICKHOUSE_URL"]);
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
