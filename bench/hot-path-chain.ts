import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { us } from "../src/index.js";
import { withRecorder } from "./hot-path-recorder.js";

/** What a stretch of rows through the whole chain, from `record()` to counted by SQL, showed. */
export interface Sustained {
  readonly table: Narrow;
  /** Rows a second that were offered; undefined for as many as were taken. */
  readonly offered: number | undefined;
  readonly rows: number;
  /** Calls for which the ring had no room: their rows were offered again. */
  readonly refused: number;
  readonly dropped: number;
  readonly stored: number;
  /** Rows that a level of the table's ladder left out, and the highest of its levels; 0 is normal. */
  readonly thinned: number;
  readonly highestLevel: number;
  /** From the first row to the last one offered, and from there until all were visible. */
  readonly seconds: number;
  readonly tailSeconds: number;
  /** CPU of the recorder's own threads: ring to socket, the producer's thread left out. */
  readonly cpuSeconds: number;
  /** Peak resident memory over what the process had before it made the recorder. */
  readonly rssBytes: number;
}

const SYMBOLS = ["BTCUSDT", "ETHUSDT", "SOLUSDT", "EURUSD", "XAUUSD", "NZDUSD"];
/** Longest stretch without a look at the clock. */
const STRETCH_ROWS = 512;
/** A second for the last batch: more is a backlog. */
const TAIL_SECONDS = 1;
/** USER_HZ of every Linux. */
const TICKS_PER_SECOND = 100;

/** CPU seconds of all threads of this process but the main one. */
function cpuBesideMain(): number {
  let ticks = 0;
  for (const thread of readdirSync("/proc/self/task")) {
    if (thread === String(process.pid)) continue;
    const stat = readFileSync(`/proc/self/task/${thread}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    ticks += Number(fields[11]) + Number(fields[12]);
  }
  return ticks / TICKS_PER_SECOND;
}

/** A table that has the columns of the row alone, and no ladder; and the one that market data goes to. */
export type Narrow = "bench_l1" | "market_data";

/** Narrow L1 rows at a rate, for `seconds`; every row is counted back. */
export function sustain(
  offered: number | undefined,
  seconds: number,
  name: Narrow = "bench_l1",
): Promise<Sustained> {
  return withRecorder(async ({ recorder, clickhouse, rssBefore }) => {
    const table = recorder.table(name as string);
    const kind = name === "market_data" ? "quote" : undefined;
    let highestLevel = 0;
    recorder.on("event", (event) => {
      if (event.kind === "level") highestLevel = Math.max(highestLevel, event.to);
    });
    const start = Date.now() * 1000;
    const begun = performance.now();
    const cpu = cpuBesideMain();
    const end = begun + seconds * 1000;
    let rows = 0;
    let refused = 0;
    const record = (): boolean => {
      const price = 61_800 + (rows % 10_000) / 100;
      return table.record({
        ts_exchange: us(start + rows),
        ts_local: us(start + rows),
        symbol: SYMBOLS[rows % 6],
        kind,
        bid_px1: price,
        bid_sz1: rows,
        ask_px1: price + 0.01,
        ask_sz1: 1.25,
      });
    };
    for (let now = begun; now < end; now = performance.now()) {
      const due = offered === undefined ? Infinity : ((now - begun) / 1000) * offered;
      const most = Math.min(due, rows + STRETCH_ROWS);
      let isTaken = true;
      while (rows < most && isTaken) {
        isTaken = record();
        if (isTaken) rows += 1;
        else refused += 1;
      }
      if (rows >= due || !isTaken) await delay(1);
    }
    const offeredAt = performance.now();
    await recorder.flush();
    const flushedAt = performance.now();
    const cpuSeconds = cpuBesideMain() - cpu;
    const { tables } = await recorder.stats();
    const [found] = await clickhouse.rows<{ n: string; sum: string }>(
      `SELECT toUInt64(count()) AS n, sum(bid_sz1) AS sum FROM ${name}`,
    );
    const { dropped: drops, deduplicated, sampled } = tables[name]!;
    const dropped = Object.values(drops).reduce((sum, count) => sum + count, 0);
    const thinned = deduplicated + sampled;
    const stored = Number(found!.n);
    if (dropped + thinned === 0 && Number(found!.sum) !== (rows * (rows - 1)) / 2)
      throw new Error(`${rows} rows, and in ClickHouse ${JSON.stringify(found)}`);
    return {
      table: name,
      offered,
      rows,
      refused,
      dropped,
      stored,
      thinned,
      highestLevel,
      seconds: (offeredAt - begun) / 1000,
      tailSeconds: (flushedAt - offeredAt) / 1000,
      cpuSeconds,
      rssBytes: process.resourceUsage().maxRSS * 1024 - rssBefore,
    };
  });
}

/** A run sustained what it was offered if all of it was stored, the last rows in time too; else what was stored by the end. */
export function sustainedRate({ offered, rows, refused, stored, seconds, tailSeconds }: Sustained): number {
  const kept = offered !== undefined && refused === 0 && stored === rows && tailSeconds <= TAIL_SECONDS;
  return kept ? offered : stored / (seconds + tailSeconds);
}

/** Milliseconds from `record()` until SQL sees the row. */
export interface Freshness {
  readonly rowsPerSecond: number;
  readonly rows: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

const FRESH_ROWS_PER_SECOND = 25_000;
const FRESH_SECONDS = 10;
const POLL_MS = 5;

/** Asks again and again how far SQL sees the rows, while they are recorded at a steady rate. */
export function measureFreshness(): Promise<Freshness> {
  return withRecorder(async ({ recorder, clickhouse }) => {
    const table = recorder.table("market_data");
    const rows = FRESH_ROWS_PER_SECOND * FRESH_SECONDS;
    const recordedAt = new Float64Array(rows);
    const fresh = new Float64Array(rows);
    const start = Date.now() * 1000;
    const begun = performance.now();
    let recorded = 0;
    const produce = async (): Promise<void> => {
      while (recorded < rows) {
        const due = Math.min(rows, ((performance.now() - begun) / 1000) * FRESH_ROWS_PER_SECOND);
        for (; recorded < due; recorded += 1) {
          const isTaken = table.record({
            ts_exchange: us(start + recorded),
            ts_local: us(start + recorded),
            symbol: SYMBOLS[recorded % SYMBOLS.length]!,
            kind: "quote",
            bid_px1: 61_800,
            ask_px1: 61_801,
            exchange_seq: recorded + 1,
          });
          if (!isTaken) throw new Error("the ring is full at 25,000 rows a second");
          recordedAt[recorded] = performance.now();
        }
        await delay(1);
      }
    };
    const poll = async (): Promise<void> => {
      for (let seen = 0; seen < rows; await delay(POLL_MS)) {
        // Without a hole: two batches on their way may overtake each other.
        const question = "SELECT if(max(exchange_seq) = count(), count(), 0) FROM market_data FORMAT TSV";
        const last = Number(await clickhouse.text(question));
        const now = performance.now();
        for (; seen < last; seen += 1) fresh[seen] = now - recordedAt[seen]!;
      }
    };
    await Promise.all([produce(), poll()]);
    fresh.sort();
    return {
      rowsPerSecond: FRESH_ROWS_PER_SECOND,
      rows,
      p50: fresh[rows >> 1]!,
      p99: fresh[Math.floor(rows * 0.99)]!,
      max: fresh[rows - 1]!,
    };
  });
}
