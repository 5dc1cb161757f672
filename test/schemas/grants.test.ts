import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, type TestContext, test } from "node:test";
import { ClickHouse } from "../../src/clickhouse/client.js";
import { tokensOf } from "../../src/clickhouse/lexer.js";
import { CONFIG_SCHEMA } from "../../src/config/schema.js";
import { keepNote } from "../../src/intake/keep-note.js";
import { StoredLines } from "../../src/intake/stored-lines.js";
import { Recorder } from "../../src/recorder.js";
import { BUILT_IN_DIR } from "../../src/schemas/files.js";
import { requireRights } from "../../src/schemas/grants/check.js";
import { printGrants } from "../../src/schemas/grants/print.js";
import { type Place, ROLES, type RoleName, rightsOf } from "../../src/schemas/grants/rights.js";
import { migrate } from "../../src/schemas/migrate.js";
import { splitStatements } from "../../src/schemas/split.js";
import { openRecorder } from "../../src/service/open-recorder.js";
import { CliProcess } from "../support/cli.js";
import { FaultProxy } from "../support/fault-proxy.js";
import { answers, answersAfterStore, exception } from "../support/fault-proxy-faults.js";
import { temporaryFolder } from "../support/folder.js";
import { type GrantedEngine, startGrantedEngine } from "./granted-engine.js";

const PLACE: Place = { database: "desk", tables: ["orders"], cluster: undefined, isReplicated: false };

/** A role for each right in each place, as `writer_3`. */
function rolesOf(role: RoleName): Map<string, string> {
  const grants = rightsOf(role, PLACE).flatMap(({ right, on }) =>
    on.map((each) => `GRANT ${right} ON ${each}`),
  );
  return new Map(grants.map((grant, index) => [`${role}_${index}`, grant]));
}

const everyRole = new Map(ROLES.flatMap((role) => [...rolesOf(role)]));
/** The embedded engine reads the database of a request as `USE`, which servers do not. */
const ALWAYS = "always";
const OTHERS = {
  admin: ["GRANT ALL ON *.*"],
  [ALWAYS]: ["GRANT SHOW DATABASES ON system.*"],
  wild: ["GRANT INSERT, SELECT ON d*.*"],
  partial: ["GRANT INSERT, SELECT ON *.*", "REVOKE INSERT ON desk.orders"],
};
const single = [...everyRole].map(([name, grant]) => [name, [grant]] as const);
const engine: GrantedEngine = await startGrantedEngine(
  { after },
  { ...Object.fromEntries(single), ...OTHERS },
);
const clickhouse = new ClickHouse({ ...engine, user: "default", database: "desk" });
after(() => clickhouse.close());

/** A table, a view that is replaced and a table that is changed: what the built-in files and later ones consist of. */
const SMALL = `CREATE TABLE IF NOT EXISTS a (x UInt8) ENGINE = MergeTree ORDER BY x;
  CREATE OR REPLACE VIEW v (x UInt8) AS SELECT x FROM a;
  ALTER TABLE a ADD COLUMN IF NOT EXISTS y UInt8`;
/** The engine asks for no right to read `system` or to use a table engine; servers may. */
const NOT_ASKED = /ON system\.|TABLE ENGINE/;

async function admin(sql: string): Promise<void> {
  await engine.become(["admin"]);
  await clickhouse.command(sql);
}

/** The database with a table to write, one to register in, and a view. */
async function lightDatabase(t: TestContext): Promise<void> {
  const builtInDir = await temporaryFolder(t);
  for (const name of ["0002_orders.sql", "0009_recorder_runs.sql"])
    copyFileSync(join(BUILT_IN_DIR, name), join(builtInDir, name));
  writeFileSync(
    join(builtInDir, "0010_view.sql"),
    "CREATE OR REPLACE VIEW ids AS SELECT client_order_id FROM orders",
  );
  await withoutDatabase();
  await migrate(clickhouse, { builtInDir });
}

async function withoutDatabase(): Promise<void> {
  await engine.become(["admin"]);
  await clickhouse.command("DROP DATABASE IF EXISTS desk SYNC", { settings: { database: "system" } });
}

test("every printed statement is taken by the engine's parser, for one server and for a cluster", async () => {
  await engine.become(["admin"]);
  for (const cluster of [undefined, "prod"]) {
    const statements = splitStatements(printGrants({ ...PLACE, cluster })).map(({ text }) => text);
    assert.ok(statements.length > 25);
    for (const sql of statements) {
      const [row] = await clickhouse.rows<{ text: string }>(
        `SELECT formatQuery(base64Decode('${Buffer.from(sql).toString("base64")}')) AS text`,
        { settings: { database: "system" } },
      );
      assert.equal(row!.text.includes("ON CLUSTER prod"), cluster !== undefined, row!.text);
      const damaged = [...tokensOf(sql)].slice(0, -1).at(-1)!.start;
      const cut = Buffer.from(sql.slice(0, damaged)).toString("base64");
      await assert.rejects(
        clickhouse.rows(`SELECT formatQuery(base64Decode('${cut}'))`, { settings: { database: "system" } }),
        { clickhouseCode: 62 },
      );
    }
  }
});

test("the migrator's rights are enough for all built-in files, and none of them can be left out", async (t) => {
  const builtInDir = await temporaryFolder(t);
  writeFileSync(join(builtInDir, "0001_a.sql"), SMALL);
  const roles = rolesOf("migrator");
  await withoutDatabase();
  await engine.become([ALWAYS, ...roles.keys()]);
  await requireRights(clickhouse, "migrator", PLACE);
  assert.equal((await migrate(clickhouse)).applied.length, 11);
  for (const [role, grant] of roles) {
    if (NOT_ASKED.test(grant)) continue;
    await withoutDatabase();
    await engine.become([ALWAYS, ...[...roles.keys()].filter((each) => each !== role)]);
    // The second one finds a lock of the first to clear away.
    const twice = async (): Promise<void> => {
      await migrate(clickhouse, { builtInDir });
      mkdirSync(join(builtInDir, role));
      writeFileSync(join(builtInDir, role, "0002_b.sql"), "SELECT 1");
      await migrate(clickhouse, { builtInDir, userDirs: [join(builtInDir, role)] });
    };
    await assert.rejects(twice(), /Not enough privileges/, grant);
  }
});

const STORED = "stored";

/** The recorder's and an ingest's statements: start, INSERT, and questions after an answer that could not be believed. */
async function record(t: TestContext, proxy: FaultProxy): Promise<string> {
  const { password } = engine;
  const through = new ClickHouse({ url: proxy.url, user: "default", password, database: "desk" });
  t.after(() => through.close());
  let refuse: (text: string) => void;
  const refused = new Promise<string>((resolve) => {
    refuse = resolve;
  });
  const recorder = await Recorder.open({
    recorder: "r",
    env: "test",
    clickhouse: through,
    compression: "none",
    tables: {
      orders: { class: "critical", flush: { rows: 10, bytes: 2 ** 20, age: 60_000 }, queue: { rows: 100 } },
    },
    memory: { max: 2 ** 26 },
    accept: { past: 2 ** 40, future: 2 ** 40 },
    deadLettersDir: await temporaryFolder(t),
    report: (event) => {
      const text = JSON.stringify(event);
      if (text.includes("Not enough privileges")) refuse(text);
    },
  });
  t.after(async () => {
    await recorder.close({ deadlineMs: 0 });
  });
  const writer = recorder.table("orders");
  proxy.on({ kind: "insert", times: 1 }, answersAfterStore(exception(319, "Unknown quorum status")));
  writer.offer({
    ts: "2026-01-05T09:30:00Z",
    client_order_id: "o",
    strategy: "s",
    symbol: "X",
    side: "buy",
    qty: 1,
    status: "new",
  });
  const outcome = await Promise.race([recorder.flush().then(() => STORED), refused]);
  if (outcome === STORED) {
    const { signal } = new AbortController();
    await StoredLines.open({ clickhouse: through, table: writer.table, source: "file", signal });
    await keepNote(through, writer.table, "file");
  }
  return outcome;
}

test("the writer's rights are enough for a recorder and an ingest, and none of them can be left out", async (t) => {
  await lightDatabase(t);
  const roles = rolesOf("writer");
  const proxy = await FaultProxy.start(t, engine.url);
  await engine.become([ALWAYS, ...roles.keys()]);
  await requireRights(clickhouse, "writer", PLACE);
  assert.equal(await record(t, proxy), STORED);
  await admin("ALTER TABLE orders RESET SETTING non_replicated_deduplication_window");
  await engine.become([ALWAYS, ...roles.keys()]);
  await assert.rejects(record(t, proxy), { code: "SCHEMA_MISMATCH" }, "the default is looked up");
  await admin("ALTER TABLE orders MODIFY SETTING non_replicated_deduplication_window = 10000");
  const asked = new Set(proxy.requests.flatMap(({ sql }) => [...sql.matchAll(/\bsystem\.\w+/g)].map(String)));
  // Servers let everybody read these: what they show of others' tables depends on rights on those.
  for (const open of ["tables", "columns", "settings", "functions"]) asked.delete(`system.${open}`);
  const granted = [...roles.values()].flatMap((grant) => grant.match(/system\.\w+/) ?? []);
  assert.deepEqual([...asked].sort(), granted.sort());
  for (const [role, grant] of roles) {
    if (NOT_ASKED.test(grant)) continue;
    await engine.become([ALWAYS, ...[...roles.keys()].filter((each) => each !== role)]);
    const outcome = await record(t, proxy).catch((error: Error) => error.message);
    assert.match(outcome, /Not enough privileges/, grant);
  }
});

test("reader and retention may do what they are for, and the reader nothing more", async (t) => {
  await lightDatabase(t);
  const drop = "ALTER TABLE orders DROP PARTITION 202601";
  await engine.become([...rolesOf("reader").keys()]);
  await clickhouse.text("SELECT count() FROM orders, ids");
  await assert.rejects(clickhouse.command(drop), { clickhouseCode: 497 });
  await engine.become([...rolesOf("retention").keys()]);
  await clickhouse.command(drop);
  await clickhouse.text("SELECT count() FROM orders WHERE 1");
  await assert.rejects(clickhouse.command("DROP TABLE orders"), { clickhouseCode: 497 });
});

test("all missing rights are named at once, each with its reason and the statement that grants it", async () => {
  await engine.become([ALWAYS, "writer_0"]);
  await assert.rejects(requireRights(clickhouse, "writer", PLACE), (error: Error & { code: string }) => {
    assert.equal(error.code, "GRANT_MISSING");
    assert.match(error.message, /^user default lacks 3 rights: /);
    assert.match(
      error.message,
      /INSERT ON desk\.recorder_runs \(for INSERT that registers a start\): GRANT INSERT ON desk\.recorder_runs TO default/,
    );
    assert.match(
      error.message,
      /SELECT ON desk\.orders \(for .*\): GRANT SELECT ON desk\.orders TO default$/,
    );
    return true;
  });
  await assert.rejects(
    requireRights(clickhouse, "writer", { ...PLACE, cluster: "prod", isReplicated: true }),
    {
      message: /lacks 4 rights.*GRANT ON CLUSTER 'prod' SYSTEM SYNC REPLICA ON desk\.orders TO default/,
    },
  );
});

test("wildcards and roles count, also less what was revoked of them", async () => {
  await engine.become([ALWAYS, "wild"]);
  await requireRights(clickhouse, "writer", PLACE);
  await engine.become([ALWAYS, "partial"]);
  await assert.rejects(requireRights(clickhouse, "writer", PLACE), {
    message: /^user default lacks a right: INSERT ON desk\.orders \([^;]*$/,
  });
});

test("a server that does not know CHECK GRANT is not asked again; other failures are told", async (t) => {
  const proxy = await FaultProxy.start(t, engine.url);
  const { password } = engine;
  const through = new ClickHouse({ url: proxy.url, user: "default", password, database: "desk" });
  t.after(() => through.close());
  await engine.become([ALWAYS]);
  proxy.on({ kind: "any", times: 1 }, answers(exception(62, "Syntax error")));
  await requireRights(through, "writer", PLACE);
  assert.equal(proxy.requests.length, 1);
  proxy.on({ kind: "any", times: 1 }, answers(exception(516, "Authentication failed")));
  await assert.rejects(requireRights(through, "writer", PLACE), { clickhouseCode: 516 });
});

test("a recorder on a server names what its user lacks before it takes a row, migrate before it changes anything", async (t) => {
  await lightDatabase(t);
  await engine.become([ALWAYS]);
  const data_dir = await temporaryFolder(t);
  const config = CONFIG_SCHEMA.parse({ data_dir, clickhouse: { url: engine.url, database: "desk" } });
  const opened = { clickhouse, engine: undefined, close: () => Promise.resolve() };
  await assert.rejects(openRecorder(config, opened), {
    code: "GRANT_MISSING",
    message: /lacks 18 rights.*INSERT ON desk\.market_data/,
  });
  const server = ["--set", `clickhouse.url=${engine.url}`, "--set", "clickhouse.database=desk"];
  const secret = { COLDPATH_CLICKHOUSE_PASSWORD: engine.password };
  const { code, stderr } = await new CliProcess(["migrate", ...server], data_dir, secret).ended();
  assert.equal(code, 1);
  assert.match(stderr, /user default lacks 5 rights: CREATE TABLE ON desk\.\* \(for .*INSERT ON desk\.\*/);
});
