import { join } from "node:path";
import { type AdminServer, startAdmin } from "../admin/server.js";
import { messageOf } from "../base/errors.js";
import { SECOND_MS } from "../base/units.js";
import type { LoadedConfig } from "../config/load.js";
import { startFeed } from "../demo/feed.js";
import { Normaliser } from "../intake/normalise/normaliser.js";
import { Live } from "../live/live.js";
import type { CloseReport, Recorder } from "../recorder.js";
import { ConfigInForce } from "./config-in-force.js";
import { ServiceLetters } from "./dead-letters.js";
import { createLog } from "./log.js";
import { type OpenedClickHouse, openClickHouse, parseListen } from "./open.js";
import { openRecorder } from "./open-recorder.js";
import { announce } from "./presence.js";
import { readerOf } from "./reader.js";
import { Scrape } from "./scrape.js";
import { Teller } from "./teller.js";

/** A recorder with its network intake, running in this process. */
export interface Service {
  /** `http://127.0.0.1:9712` */
  readonly adminUrl: string;
  readonly tokenFile: string;
  readonly opened: OpenedClickHouse;
  readonly recorder: Recorder;
  readonly config: ConfigInForce;
  /** Takes no more rows, stores what it has until the deadline, and says what it could not store. */
  close(deadlineMs: number): Promise<CloseReport>;
}

export interface ServeOptions {
  /** Market events per second of the built-in simulator; without it there is none. */
  readonly simulate?: number;
  /** Whether it starts while the configured server does not answer. Default false. */
  readonly mayBeAway?: boolean;
}

/**
 * Starts everything that `serve` is, in the order of dependence; what has started is ended if a later part fails.
 *
 * @param load reads the configuration again, for each reload
 */
export async function startService(
  loaded: LoadedConfig,
  load: () => LoadedConfig,
  options: ServeOptions = {},
): Promise<Service> {
  const { config } = loaded;
  const log = createLog(config.log);
  const { mayBeAway = false } = options;
  const opened = await openClickHouse(config, { connect: !mayBeAway });
  const brokenParts = opened.engine?.brokenParts ?? [];
  if (brokenParts.length > 0) log.error({ event: "broken_parts", parts: brokenParts });
  opened.engine?.on("state", (state, reason) => {
    if (reason === undefined) log.debug({ event: "engine", state });
    else log.warn({ event: "engine", state, reason: messageOf(reason) });
  });
  const teller = new Teller(log);
  const letters = new ServiceLetters(config, opened.clickhouse);
  const reader = readerOf(config, opened);
  const closeClickHouse = async (): Promise<void> => {
    await reader.clickhouse.close();
    await opened.close();
  };
  let recorder: Recorder | undefined;
  let live: Live | undefined;
  let admin: AdminServer | undefined;
  let scrape: Scrape | undefined;
  try {
    const recording = await openRecorder(config, opened, (event) => teller.report(event), { mayBeAway });
    recorder = recording;
    const setLogLevel = (level: string): void => {
      log.level = level;
    };
    scrape = new Scrape(config, opened, recorder, teller.counts);
    const inForce = new ConfigInForce({
      loaded,
      load,
      recorder,
      setLogLevel,
      tell: (told) => teller.tell(told),
    });
    live = new Live({
      stats: () => recording.stats(),
      landingSeconds: () => inForce.loaded.config.conditions.landing / SECOND_MS,
    });
    const tokenFile = config.admin.token_file ?? join(config.data_dir, "admin-token");
    admin = await startAdmin({
      listen: parseListen(config.admin.listen),
      tokenFile,
      recorder,
      live,
      events: teller.events,
      metrics: scrape.registry,
      config: inForce,
      normaliser: new Normaliser({ depth: config.tables.market_data.policy.depth }),
      maxBody: config.intake.http.max_body,
      bodyMemory: config.intake.http.memory,
      maxLine: config.intake.max_line,
      deadLetters: letters,
      reader,
      log,
    });
    const started = { live, admin, scrape };
    const takeBack = announce(config, { url: admin.url, tokenFile });
    const feed = options.simulate === undefined ? undefined : simulate(recording, options.simulate);
    return {
      adminUrl: admin.url,
      tokenFile,
      opened,
      recorder,
      config: inForce,
      close: async (deadlineMs) => {
        const deadline = performance.now() + deadlineMs;
        feed?.stop();
        started.live.close();
        await started.scrape.close();
        await letters.close();
        await started.admin.close(deadlineMs);
        const report = await recording.close({
          deadlineMs: Math.max(0, deadline - performance.now()),
        });
        await closeClickHouse();
        // Until now its log may get rows: whoever would store what it left has to wait.
        takeBack();
        teller.flush();
        return report;
      },
    };
  } catch (error) {
    live?.close();
    await scrape?.close();
    await admin?.close(0);
    await recorder?.close({ deadlineMs: 0 });
    await closeClickHouse();
    teller.flush();
    throw error;
  }
}

function simulate(recorder: Recorder, eventsPerSecond: number): { stop(): void } {
  return startFeed(eventsPerSecond, 1, (table, row) => {
    // A refusal is counted by the recorder; a simulated row is not worth more.
    recorder.table(table).offer({ ...row, source: "simulator" });
  });
}
