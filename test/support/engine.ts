import { rm } from "node:fs/promises";
import { join } from "node:path";
import { ClickHouse } from "../../src/clickhouse/client.js";
import { Engine, type EngineOptions } from "../../src/engine/engine.js";
import { temporaryFolder } from "./folder.js";

/** What a test needs of its context. A file shares one engine by `await startTestEngine({ after })` at its top level. */
export interface EngineContext {
  readonly after: (fn: () => Promise<void> | void) => void;
}

export interface TestEngine {
  readonly engine: Engine;
  /** As the owner, in database `default`. */
  readonly clickhouse: ClickHouse;
}

/** An embedded ClickHouse on a folder of its own; both go away after the test. */
export async function startTestEngine(
  t: EngineContext,
  options: Partial<EngineOptions> = {},
): Promise<TestEngine> {
  const dataDir = options.dataDir ?? join(await temporaryFolder(t), "clickhouse");
  const engine = await Engine.start({ ...options, dataDir });
  const { url, user, password } = engine;
  const clickhouse = new ClickHouse({ url, user, password, database: "default" });
  t.after(async () => {
    await clickhouse.close();
    engine.kill();
    await engine.close();
    // The folder's own removal may have met the dying engine's last files.
    await rm(dataDir, { recursive: true, force: true, maxRetries: 5 });
  });
  return { engine, clickhouse };
}
