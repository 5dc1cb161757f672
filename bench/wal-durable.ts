import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { withRecorder } from "./hot-path-recorder.js";
import { type Recorded, recordAll, recordRow } from "./wal-rows.js";

/** How fast critical rows become durable, offered as fast as they are taken. */
export interface Durable {
  readonly rows: Recorded;
  /** Whether ClickHouse stored them meanwhile, on the same cores, or was away. */
  readonly clickhouse: "up" | "away";
  readonly count: number;
  /** From the first row to the answer of the last `durable()`. */
  readonly seconds: number;
  readonly logBytes: number;
  /** Peak resident memory over what the process had before it made the recorder. */
  readonly rssBytes: number;
}

export function measureDurable(
  rows: Recorded,
  clickhouse: Durable["clickhouse"],
  count: number,
): Promise<Durable> {
  return withRecorder(async ({ recorder, engine, folder, rssBefore }) => {
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
    };
  }, "critical");
}

/** What is written of the files: the last one is longer, with room for what comes. */
function bytesIn(folder: string): number {
  return readdirSync(folder)
    .filter((name) => name.endsWith(".wal"))
    .reduce((sum, name) => sum + statSync(join(folder, name)).blocks * 512, 0);
}
