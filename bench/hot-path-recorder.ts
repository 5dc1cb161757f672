import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { MINUTE_MS } from "../src/base/units.js";
import { Engine } from "../src/engine/engine.js";
import { ClickHouse, type ConfigInput, createRecorder, type RecordingClient } from "../src/index.js";
import { migrate } from "../src/schemas/migrate.js";

export interface Place {
  readonly recorder: RecordingClient;
  /** To be killed and stopped; it is never taken for hung. */
  readonly engine: Engine;
  readonly clickhouse: ClickHouse;
  /** Of the recorder's files. */
  readonly folder: string;
  /** Resident bytes of this process before it made the recorder. */
  readonly rssBefore: number;
}

/**
 * A recorder with a user's defaults, on an engine of its own that has the narrow table too; gone afterwards.
 *
 * @param narrow class of the narrow table, which is treated as market_data otherwise
 */
export async function withRecorder<T>(
  work: (place: Place) => Promise<T>,
  narrow: "critical" | "best_effort" = "best_effort",
): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "coldpath-bench-"));
  const engine = await Engine.start({ dataDir: join(folder, "clickhouse"), hungAfterMs: 60 * MINUTE_MS });
  const { url, user, password } = engine;
  const clickhouse = new ClickHouse({ url, user, password, database: "coldpath" });
  try {
    await migrate(clickhouse, { userDirs: [resolve("bench/schemas")] });
    process.env["COLDPATH_CLICKHOUSE_PASSWORD"] = password;
    const config: ConfigInput = {
      data_dir: folder,
      clickhouse: { url },
      // As market_data has it.
      tables: { bench_l1: { class: narrow, flush: { rows: 50_000 }, queue: { rows: 500_000 } } },
    };
    const rssBefore = process.memoryUsage().rss;
    const recorder = await createRecorder({ config });
    try {
      return await work({ recorder, engine, clickhouse, folder, rssBefore });
    } finally {
      await recorder.close({ deadline: 1000 });
    }
  } finally {
    await clickhouse.close();
    engine.kill();
    await engine.close();
    rmSync(folder, { recursive: true, force: true });
  }
}
