import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { withRecorder } from "./hot-path-recorder.js";
import { generate, type Recorded, recordAll, recordRow } from "./wal-rows.js";

/** How fast critical rows become durable, offered as fast as they are taken. */
export interface Durable {
  readonly rows: Recorded;
  /** Whether ClickHouse stored them meanwhile, on the same cores, or was away. */
  readonly clickhouse: "up" | "away";
  readonly count: number;
  /** From the first row to the answer of the last `durable()`. */
  readonly seconds: number;
  readonly logBytes: number;
  /** Peak resident memory over what the process had before it made the recorder and after it had made such rows for none. */
  readonly rssBytes: number;
  /** What the process grew by while it made rows for none. */
  readonly generatorBytes: number;
}

export async function measureDurable(
  rows: Recorded,
  clickhouse: Durable["clickhouse"],
  count: number,
): Promise<Durable> {
  const { rss } = process.memoryUsage();
  // The program's own objects fill the young generation of its thread, whatever becomes of its rows.
  await generate(rows, count);
  const generatorBytes = process.memoryUsage().rss - rss;
  return await withRecorder(async ({ recorder, engine, folder, rssBefore }) => {
    const record = recordRow(recorder, rows);
    if (clickhouse === "away") engine.kill();
    const begun = performance.now();
    await recordAll(record, 0, count);
    await recorder.durable();
    return {
      rows,
      clickhouse,
      count,
      seconds: (performance.now() - begun) / 1000,
      logBytes: bytesIn(join(folder, "wal")),
      rssBytes: process.resourceUsage().maxRSS * 1024 - rssBefore,
      generatorBytes,
    };
  }, "critical");
}

/** What is written of the files: the last one is longer, with room for what comes. */
function bytesIn(folder: string): number {
  return readdirSync(folder)
    .filter((name) => name.endsWith(".wal"))
    .reduce((sum, name) => sum + statSync(join(folder, name)).blocks * 512, 0);
}
