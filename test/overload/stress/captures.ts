import assert from "node:assert/strict";
import { join } from "node:path";
import { SECOND_MS } from "../../../src/base/units.js";
import { createRecorder } from "../../../src/index.js";
import type { LevelEvent } from "../../../src/overload/events.js";
import { binance, readCapture, replay, type VenueEvent, VenueFeed } from "../../../src/venues/index.js";
import type { EngineContext } from "../../support/engine.js";
import { FaultProxy } from "../../support/fault-proxy.js";
import { slow } from "../../support/fault-proxy-faults.js";
import { temporaryFolder } from "../../support/folder.js";
import { startMigratedEngine } from "../../support/migrated.js";
import { CAPTURES } from "../../venues/binance-recording.js";
import { type Account, accountOf } from "./account.js";
import { seriesName, type Tally } from "./load.js";
import { staying } from "./plans.js";

/** Real bursts, through a recorder whose ClickHouse takes some thousand rows a second. */
export interface Burst {
  /** Folder of the recordings. */
  readonly data: string;
  /** 1: as it was recorded; Infinity: as fast as messages can be read. */
  readonly speed: number;
  /** Of the replay, at most. */
  readonly seconds: number;
}

export interface Burned {
  readonly account: Account;
  /** Rows offered and stored, by kind. */
  readonly kinds: Readonly<Record<string, { readonly offered: number; readonly stored: number }>>;
  readonly steps: readonly LevelEvent[];
  readonly seconds: number;
}

/** Of each INSERT. Two at once, of as many rows as below: some 8,000 rows a second. */
const SLOW_MS = 500;
const BATCH_ROWS = 2_000;
const QUEUE_ROWS = 10_000;
const DEPTH = 10;
/** Of the replays: levels follow bursts of seconds. */
const STAY = "1s";

/** Replays the captures and draws up the account: no row waits for room, as none would at a venue. */
export async function replayBurst(t: EngineContext, { data, speed, seconds }: Burst): Promise<Burned> {
  const { engine, clickhouse } = await startMigratedEngine(t);
  const proxy = await FaultProxy.start({ after: (fn) => t.after(fn) }, engine.url);
  proxy.on({ times: Number.POSITIVE_INFINITY }, slow(SLOW_MS));
  process.env["COLDPATH_CLICKHOUSE_PASSWORD"] = engine.password;
  const ladder = staying(STAY).tables!["market_data"]!;
  const recorder = await createRecorder({
    config: {
      data_dir: await temporaryFolder(t),
      clickhouse: { url: proxy.url, database: "coldpath" },
      ring: { size: "1MiB", critical_reserve: "256KiB" },
      tables: {
        market_data: {
          ...ladder,
          policy: { depth: DEPTH },
          flush: { rows: BATCH_ROWS },
          queue: { rows: QUEUE_ROWS },
        },
      },
    },
  });
  t.after(async () => void (await recorder.close({ deadline: 0 }).catch(() => {})));
  const steps: LevelEvent[] = [];
  recorder.on("event", (event) => {
    if (event.kind === "level") steps.push(event);
  });
  const counts = new Counts();
  const sources = CAPTURES.map(([name, options]) => ({
    feed: new VenueFeed({ adapter: binance(options), depth: DEPTH }),
    messages: readCapture(join(data, "binance-raw-ws", `${name}.txt.gz`)),
  }));
  const told = await replay(sources, (event) => counts.count(event, recorder.events.record(event)), {
    speed,
    signal: AbortSignal.timeout(seconds * SECOND_MS),
  });
  const { tables } = await recorder.close({ deadline: 60 * SECOND_MS });
  const account = await accountOf(clickhouse, counts.tally());
  assert.equal(tables["market_data"]!.pending.rows, 0);
  const stored = await clickhouse.rows<{ kind: string; n: string }>(
    "SELECT toString(kind) AS kind, count() AS n FROM market_data GROUP BY kind",
  );
  const kinds = [...counts.kinds].map(([kind, offered]) => {
    const found = stored.find((each) => each.kind === kind);
    return [kind, { offered, stored: Number(found?.n ?? 0) }] as const;
  });
  return { account, kinds: Object.fromEntries(kinds), steps, seconds: told.seconds };
}

/** The producer's own counts. */
class Counts {
  readonly kinds = new Map<string, number>();
  readonly #taken = new Map<string, number>();
  readonly #refused = new Map<string, number>();

  /** True: whoever replays goes on, whatever became of the row. */
  count(event: VenueEvent, isTaken: boolean): true {
    assert(event.type === "quote" || event.type === "depth" || event.type === "trade");
    const { type, symbol } = event;
    const counts = isTaken ? this.#taken : this.#refused;
    const series = seriesName(symbol, type);
    counts.set(series, (counts.get(series) ?? 0) + 1);
    this.kinds.set(type, (this.kinds.get(type) ?? 0) + 1);
    return true;
  }

  tally(): Tally {
    const critical = { criticalTaken: 0, criticalSum: 0, criticalRefused: 0 };
    return { taken: this.#taken, refused: this.#refused, ...critical };
  }
}
