import { cpSync, existsSync } from "node:fs";
import { mkdtemp, rename } from "node:fs/promises";
import { join } from "node:path";
import { ClickHouse } from "../../src/clickhouse/client.js";
import { Engine } from "../../src/engine/engine.js";
import { migrate } from "../../src/schemas/migrate.js";
import { type EngineContext, startTestEngine, type TestEngine } from "./engine.js";
import { temporaryFolder } from "./folder.js";

/** Folder of one run of the suite, made by scripts/test.mjs: what many files need is made there once. */
const RUN_FOLDER = process.env["COLDPATH_TEST_RUN"];
const DATABASE = "coldpath";

/**
 * Lays the files of an engine whose database `coldpath` has all tables and views into `dataDir`, which an engine is
 * then started on: a migration costs far more than a copy. A single file of tests that runs by itself gets nothing
 * laid, and whoever starts the engine migrates, which is why every user of this still does.
 */
export async function layMigrated(dataDir: string): Promise<void> {
  if (RUN_FOLDER === undefined) return;
  const made = await migratedOnce(RUN_FOLDER);
  for (const name of ["db", "secret"])
    cpSync(join(made, name), join(dataDir, name), { recursive: true, verbatimSymlinks: true });
}

/** An engine as {@link startTestEngine} gives it, with all tables and views in database `coldpath`, the client's. */
export async function startMigratedEngine(t: EngineContext): Promise<TestEngine> {
  const dataDir = join(await temporaryFolder(t), "clickhouse");
  await layMigrated(dataDir);
  const { engine } = await startTestEngine(t, { dataDir });
  const clickhouse = clientOf(engine);
  t.after(() => clickhouse.close());
  await migrate(clickhouse);
  return { engine, clickhouse, dataDir };
}

async function migratedOnce(runFolder: string): Promise<string> {
  const made = join(runFolder, "migrated");
  if (existsSync(made)) return made;
  const draft = await mkdtemp(join(runFolder, "draft-"));
  const engine = await Engine.start({ dataDir: draft });
  const clickhouse = clientOf(engine);
  await migrate(clickhouse);
  await clickhouse.close();
  await engine.close();
  await rename(draft, made).catch((error: unknown) => {
    // Of two files that began at once the other was first.
    if (!existsSync(made)) throw error;
  });
  return made;
}

function clientOf({ url, user, password }: Engine): ClickHouse {
  return new ClickHouse({ url, user, password, database: DATABASE });
}
