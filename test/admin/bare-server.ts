import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { Registry } from "prom-client";
import type { Reader } from "../../src/admin/question.js";
import { type AdminOptions, type AdminServer, startAdmin } from "../../src/admin/server.js";
import { ClickHouse } from "../../src/clickhouse/client.js";
import { Normaliser } from "../../src/intake/normalise/normaliser.js";
import { History } from "../../src/live/history.js";
import { RecentEvents } from "../../src/live/recent-events.js";
import { temporaryFolder } from "../support/folder.js";

export interface BareServer {
  readonly admin: AdminServer;
  readonly token: string;
  readonly events: RecentEvents;
  /** What was logged as a warning or an error. */
  readonly logged: unknown[];
}

/** Of a ClickHouse that lets anybody read. */
export function readerOn(clickhouse: ClickHouse): Reader {
  return { clickhouse, endpoint: () => clickhouse.endpoint, settings: {}, isOpen: true };
}

/** The server on a recorder that answers no question, but for what is given. */
export async function startBare(t: TestContext, options: Partial<AdminOptions> = {}): Promise<BareServer> {
  const tokenFile = join(await temporaryFolder(t), "token");
  const logged: unknown[] = [];
  const log = (fields: unknown): unknown => logged.push(fields);
  const events = new RecentEvents();
  const broken = (): never => {
    throw new Error("the recorder is broken");
  };
  const admin = await startAdmin({
    listen: { host: "127.0.0.1", port: 0 },
    tokenFile,
    recorder: {
      ...{ stats: broken, table: broken, flush: broken, replay: broken, leaveOut: broken },
      note: () => {},
      keys: undefined,
      log: undefined,
    },
    live: {
      get report() {
        return broken();
      },
      history: new History(),
      notLanding: [],
      watch: () => () => {},
    },
    events,
    metrics: new Registry(),
    normaliser: new Normaliser({ depth: 5 }),
    maxBody: 1000,
    bodyMemory: 1000,
    maxLine: 1000,
    deadLetters: { summary: broken, retry: broken },
    reader: readerOn(new ClickHouse({ url: "http://127.0.0.1:9", user: "default", database: "default" })),
    log: { info: () => {}, warn: log, error: log },
    ...options,
  });
  t.after(() => admin.close(0));
  return { admin, token: (await readFile(tokenFile, "utf8")).trim(), events, logged };
}
