import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { ClickHouse } from "../../src/clickhouse/client.js";
import { LOCK_TABLES, withMigrationLock } from "../../src/schemas/lock.js";
import { migrate } from "../../src/schemas/migrate.js";
import { startTestEngine } from "../support/engine.js";
import { temporaryFolder } from "../support/folder.js";
import { newDatabase } from "./database.js";
import type { RunnerOrder } from "./migrate-runner.js";

const testEngine = await startTestEngine({ after });

async function emptyDatabase(t: TestContext): Promise<ClickHouse> {
  const clickhouse = newDatabase(t, testEngine);
  await clickhouse.command(`CREATE DATABASE ${clickhouse.options.database}`, {
    settings: { database: "system" },
  });
  return clickhouse;
}

/** Leaves a lock behind as a runner that was killed does. */
async function leaveLock(clickhouse: ClickHouse, number: number, expiresInMs: number): Promise<void> {
  const now = Number(await clickhouse.text("SELECT toUnixTimestamp64Milli(now64(3)) FORMAT TSV"));
  const comment = JSON.stringify({ host: "other-host", pid: 4711, expires: now + expiresInMs });
  await clickhouse.command(
    `CREATE TABLE ${LOCK_TABLES}${number} (x UInt8) ENGINE = Null COMMENT '${comment}'`,
  );
}

async function lockTables(clickhouse: ClickHouse): Promise<string[]> {
  const rows = await clickhouse.rows<{ name: string }>(
    `SELECT name FROM system.tables WHERE database = currentDatabase() AND startsWith(name, '${LOCK_TABLES}') ORDER BY name`,
  );
  return rows.map(({ name }) => name.slice(LOCK_TABLES.length));
}

test("of many takers at once one at a time is in, a killed runner's lock having run out", async (t) => {
  const clickhouse = await emptyDatabase(t);
  await leaveLock(clickhouse, 3, -1);
  let inside = 0;
  let turns = 0;
  const taker = (): Promise<void> =>
    withMigrationLock(clickhouse, { leaseMs: 5_000, waitMs: 20_000 }, async (stillHeld) => {
      inside += 1;
      assert.equal(inside, 1);
      await stillHeld();
      assert.equal(inside, 1);
      inside -= 1;
      turns += 1;
    });
  await Promise.all(Array.from({ length: 6 }, taker));
  assert.equal(turns, 6);
  assert.deepEqual(await lockTables(clickhouse), ["9"]);
});

test("a lock that is held is not taken; the error names who holds it and for how long", async (t) => {
  const clickhouse = await emptyDatabase(t);
  await leaveLock(clickhouse, 1, 60_000);
  const taking = withMigrationLock(clickhouse, { waitMs: 150 }, () => assert.fail("the lock was taken"));
  await assert.rejects(taking, { code: "MIGRATION_LOCKED", message: /process 4711 on other-host .* 60 s/ });
  assert.deepEqual(await lockTables(clickhouse), ["1"]);
});

test("a lock held longer than its lease is renewed meanwhile", async (t) => {
  const clickhouse = await emptyDatabase(t);
  await withMigrationLock(clickhouse, { leaseMs: 1_000 }, async () => {
    await clickhouse.command("SELECT sleep(1.5)");
    const other = withMigrationLock(clickhouse, { waitMs: 0 }, () => assert.fail("the lock was taken"));
    await assert.rejects(other, { code: "MIGRATION_LOCKED" });
  });
});

test("a holder whose lock was taken over meanwhile is told before its next step", async (t) => {
  const clickhouse = await emptyDatabase(t);
  const holding = withMigrationLock(clickhouse, {}, async (stillHeld) => {
    await leaveLock(clickhouse, 2, 60_000);
    await stillHeld();
    assert.fail("the holder went on");
  });
  await assert.rejects(holding, { code: "MIGRATION_LOCKED", message: /other-host/ });
  assert.deepEqual(await lockTables(clickhouse), ["1", "2"]);
});

test("a holder whose lock ran out is told before its next step, though nobody has taken it yet", async (t) => {
  const clickhouse = await emptyDatabase(t);
  const holding = withMigrationLock(clickhouse, { leaseMs: 60_000 }, async (stillHeld) => {
    const comment = JSON.stringify({ host: "this", pid: 1, expires: 1 });
    await clickhouse.command(`ALTER TABLE ${LOCK_TABLES}1 MODIFY COMMENT '${comment}'`);
    await stillHeld();
    assert.fail("the holder went on");
  });
  await assert.rejects(holding, { code: "MIGRATION_LOCKED", message: /suspended/ });
});

test("what failed under the lock is what is reported, and the lock is free at once", async (t) => {
  const clickhouse = await emptyDatabase(t);
  const failing = withMigrationLock(clickhouse, {}, () => Promise.reject(new Error("the work failed")));
  await assert.rejects(failing, /the work failed/);
  await withMigrationLock(clickhouse, { waitMs: 0 }, () => Promise.resolve());
});

test("a table of somebody else's in a lock's place is left alone", async (t) => {
  const clickhouse = await emptyDatabase(t);
  await clickhouse.command(`CREATE TABLE ${LOCK_TABLES}7 (x UInt8) ENGINE = Null COMMENT 'mine'`);
  await assert.rejects(
    withMigrationLock(clickhouse, {}, () => Promise.resolve()),
    {
      code: "MIGRATION_LOCKED",
      message: /schema_migrations_lock_7 is not a lock of coldpath/,
    },
  );
  assert.deepEqual(await lockTables(clickhouse), ["7"]);
});

/** Falls asleep between looking at the locks and creating its own, while `meanwhile` happens. */
class SlowTaker extends ClickHouse {
  #meanwhile: (() => Promise<void>) | undefined;

  constructor(like: ClickHouse, meanwhile: () => Promise<void>) {
    super(like.options);
    this.#meanwhile = meanwhile;
  }

  override async command(sql: string): Promise<void> {
    const meanwhile = this.#meanwhile;
    if (meanwhile !== undefined && sql.startsWith("CREATE TABLE")) {
      this.#meanwhile = undefined;
      await meanwhile();
    }
    await super.command(sql);
  }
}

test("a taker that slept while others held, released and dropped the next lock does not get it", async (t) => {
  const clickhouse = await emptyDatabase(t);
  await leaveLock(clickhouse, 1, -1);
  let release: () => void = () => undefined;
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  let holding: Promise<void> | undefined;
  const slow = new SlowTaker(clickhouse, async () => {
    await withMigrationLock(clickhouse, {}, () => Promise.resolve());
    await new Promise<void>((isIn) => {
      holding = withMigrationLock(clickhouse, {}, async () => {
        isIn();
        await held;
      });
    });
    assert.deepEqual(await lockTables(clickhouse), ["3"]);
  });
  t.after(() => slow.close());
  try {
    const taking = withMigrationLock(slow, { waitMs: 200 }, () => assert.fail("two hold the lock"));
    await assert.rejects(taking, { code: "MIGRATION_LOCKED" });
    assert.deepEqual(await lockTables(clickhouse), ["3"]);
  } finally {
    release();
    await holding;
  }
});

const RUNNER = fileURLToPath(new URL("migrate-runner.js", import.meta.url));

/** Another process that migrates the same database, and the steps it reports. */
function startRunner(
  t: TestContext,
  clickhouse: ClickHouse,
  userDir: string,
): { child: ChildProcess; steps: string[] } {
  const { user, password, database } = clickhouse.options;
  const order: RunnerOrder = {
    url: clickhouse.endpoint,
    user,
    password: password ?? "",
    database,
    userDir,
    leaseMs: 2_000,
  };
  const child = spawn(process.execPath, [RUNNER], {
    env: { ...process.env, MIGRATE_ORDER: JSON.stringify(order) },
    stdio: ["ignore", "pipe", "inherit"],
  });
  t.after(() => child.kill("SIGKILL"));
  const steps: string[] = [];
  createInterface(child.stdout!).on("line", (line) => {
    steps.push(line);
    child.emit("step", line);
  });
  return { child, steps };
}

async function userFolder(t: TestContext): Promise<string> {
  const folder = await temporaryFolder(t);
  writeFileSync(
    join(folder, "0001_own.sql"),
    "CREATE TABLE IF NOT EXISTS own (x UInt8) ENGINE = MergeTree ORDER BY x; SELECT sleep(0.5); SELECT 3",
  );
  return folder;
}

test("two processes that migrate at once both succeed, and each statement runs once", async (t) => {
  const clickhouse = newDatabase(t, testEngine);
  const userDir = await userFolder(t);
  const runners = [startRunner(t, clickhouse, userDir), startRunner(t, clickhouse, userDir)];
  const codes = await Promise.all(
    runners.map(({ child }) => once(child, "close").then(([code]) => code as number)),
  );
  assert.deepEqual(codes, [0, 0]);
  const begun = runners.flatMap(({ steps }) => steps).filter((step) => step.endsWith("begins"));
  assert.equal(new Set(begun).size, begun.length);
  assert.ok(begun.includes("0001_own.sql 3 begins"));
  assert.deepEqual((await migrate(clickhouse, { userDirs: [userDir] })).applied, []);
});

test("a runner killed in mid-statement holds others up for its lease; the next one goes on where it was", async (t) => {
  const clickhouse = newDatabase(t, testEngine);
  const userDir = await userFolder(t);
  const { child } = startRunner(t, clickhouse, userDir);
  await new Promise<void>((resolve) => {
    child.on("step", (step: string) => step === "0001_own.sql 2 begins" && resolve());
  });
  child.kill("SIGKILL");
  const begun: string[] = [];
  const result = await migrate(clickhouse, {
    userDirs: [userDir],
    lock: { waitMs: 20_000 },
    onProgress: ({ name, statement, state }) => state === "begins" && begun.push(`${name} ${statement}`),
  });
  assert.deepEqual(result.applied, [{ origin: "user", name: "0001_own.sql" }]);
  assert.deepEqual(begun, ["0001_own.sql 2", "0001_own.sql 3"]);
});
