import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { startAdmin } from "../../src/admin/server.js";
import type { ClickHouse } from "../../src/clickhouse/client.js";
import { Normaliser } from "../../src/intake/normalise/normaliser.js";
import { LetterCounts } from "../../src/letters/letter-counts.js";
import { summarise } from "../../src/letters/summary.js";
import { Live } from "../../src/live/live.js";
import { RecentEvents } from "../../src/live/recent-events.js";
import { EventCounts } from "../../src/metrics/event-counts.js";
import { serviceMetrics } from "../../src/metrics/service-metrics.js";
import { Recorder, type WalOptions } from "../../src/recorder.js";
import { recorderOptions } from "../intake/fixture.js";
import { readerOn } from "./bare-server.js";

export interface LoggedService {
  readonly recorder: Recorder;
  readonly url: string;
  readonly token: string;
  readonly folder: string;
  close(): Promise<void>;
}

/** The HTTP intake on a recorder with a log for orders and fills and none for market_data; all its files are in `folder`. */
export async function startLogged(
  clickhouse: ClickHouse,
  folder: string,
  wal: Partial<WalOptions> = {},
): Promise<LoggedService> {
  const options = recorderOptions(clickhouse, join(folder, "dead-letters"));
  const logged = { ...options.tables["orders"]!, class: "critical", durability: "wal" } as const;
  const recorder = await Recorder.open({
    ...options,
    tables: { market_data: options.tables["market_data"]!, fills: logged, orders: logged },
    wal: {
      dir: join(folder, "wal"),
      commit: 2,
      segment: 1 << 20,
      max: 1 << 26,
      reserve: 1 << 16,
      emergencyDisk: 1,
      ...wal,
    },
  });
  const tokenFile = join(folder, "token");
  const live = new Live({ stats: () => recorder.stats(), landingSeconds: () => 60 });
  const admin = await startAdmin({
    listen: { host: "127.0.0.1", port: 0 },
    tokenFile,
    recorder,
    live,
    events: new RecentEvents(),
    metrics: serviceMetrics({
      stats: () => recorder.stats(),
      told: new EventCounts(),
      letters: new LetterCounts(join(folder, "dead-letters")),
    }),
    normaliser: new Normaliser({ depth: 5 }),
    maxBody: 1 << 20,
    bodyMemory: 1 << 23,
    maxLine: 10_000,
    deadLetters: {
      summary: (table) => summarise(join(folder, "dead-letters"), { table }),
      retry: async () => [],
    },
    reader: readerOn(clickhouse),
    log: {
      info: () => {},
      warn: () => {},
      error: (fields: unknown) => {
        throw new Error(`an internal error: ${JSON.stringify(fields)}`);
      },
    },
  });
  return {
    recorder,
    url: admin.url,
    token: (await readFile(tokenFile, "utf8")).trim(),
    folder,
    close: async () => {
      live.close();
      await admin.close(0);
      await recorder.close({ deadlineMs: 5000 });
    },
  };
}
