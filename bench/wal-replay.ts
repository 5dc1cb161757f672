import { setTimeout as delay } from "node:timers/promises";
import { us } from "../src/index.js";
import { type Place, withRecorder } from "./hot-path-recorder.js";
import { quantile } from "./measure.js";
import { recordAll, recordRow } from "./wal-rows.js";

/** A backlog in the log lands after an outage, while other rows go on coming. */
export interface Replayed {
  readonly backlogRows: number;
  readonly logSeconds: number;
  /** From the moment ClickHouse answered again until SQL counts all rows of the backlog. */
  readonly seconds: number;
  readonly liveRowsPerSecond: number;
  readonly liveRows: number;
  /** Milliseconds from `record()` of a live row until SQL sees it, during the replay. */
  readonly freshP50: number;
  readonly freshP99: number;
  readonly rssBytes: number;
}

const LIVE_ROWS_PER_SECOND = 25_000;
const POLL_MS = 20;

export function measureReplay(backlogRows: number): Promise<Replayed> {
  return withRecorder(async (place) => {
    const { recorder, engine, clickhouse, rssBefore } = place;
    engine.kill();
    const logging = performance.now();
    await recordAll(recordRow(recorder, "narrow"), 0, backlogRows);
    await recorder.durable();
    const logSeconds = (performance.now() - logging) / 1000;
    await engine.restart();
    const begun = performance.now();
    let isOver = false;
    const live = recordLive(place, () => isOver);
    const counted = async (): Promise<number> =>
      Number(await clickhouse.text("SELECT count() FROM bench_l1 FORMAT TSV"));
    while ((await counted()) < backlogRows) await delay(100);
    const seconds = (performance.now() - begun) / 1000;
    isOver = true;
    const fresh = await live;
    return {
      backlogRows,
      logSeconds,
      seconds,
      liveRowsPerSecond: LIVE_ROWS_PER_SECOND,
      liveRows: fresh.length,
      freshP50: quantile(fresh, 0.5),
      freshP99: quantile(fresh, 0.99),
      rssBytes: process.resourceUsage().maxRSS * 1024 - rssBefore,
    };
  }, "critical");
}

/**
 * Trades at a steady rate until it is over; how fresh each was when SQL saw it, milliseconds. Trades, since the ladder leaves out quotes
 * while the backlog is logged as fast as the ring takes it, and each row is waited for here.
 */
async function recordLive({ recorder, clickhouse }: Place, isOver: () => boolean): Promise<number[]> {
  const { marketData } = recorder;
  const recordedAt: number[] = [];
  const fresh: number[] = [];
  const begun = performance.now();
  const start = Date.now() * 1000;
  const produce = async (): Promise<void> => {
    while (!isOver()) {
      const due = ((performance.now() - begun) / 1000) * LIVE_ROWS_PER_SECOND;
      while (recordedAt.length < due) {
        const n = recordedAt.length;
        const ts = us(start + n);
        const row = {
          ts_exchange: ts,
          ts_local: ts,
          symbol: "LIVE",
          kind: "trade",
          last_px: 1,
          last_qty: 2,
        } as const;
        if (!marketData.record({ ...row, exchange_seq: n + 1 })) throw new Error("the ring is full");
        recordedAt.push(performance.now());
      }
      await delay(1);
    }
  };
  const poll = async (): Promise<void> => {
    // Without a hole: two batches on their way may overtake each other.
    const question = "SELECT if(max(exchange_seq) = count(), count(), 0) FROM market_data FORMAT TSV";
    while (!isOver() || fresh.length < recordedAt.length) {
      const last = Number(await clickhouse.text(question));
      const now = performance.now();
      while (fresh.length < last) fresh.push(now - recordedAt[fresh.length]!);
      await delay(POLL_MS);
    }
  };
  await Promise.all([produce(), poll()]);
  return fresh;
}
