import { Pool } from "undici";

/**
 * Readers in a process of their own, as dashboards and notebooks would be: each runs its statements one after the other
 * until it is told to stop, then says how many were answered.
 */
export interface ReaderOrder {
  readonly url: string;
  readonly password: string | undefined;
  readonly readers: number;
}

export interface ReaderReport {
  readonly statements: number;
  readonly seconds: number;
}

/** Aggregations over everything and over one symbol, and results of many rows. */
const STATEMENTS = [
  "SELECT symbol, count(), avg(bid_px), max(ask_sz) FROM ticks GROUP BY symbol",
  "SELECT toStartOfMinute(ts) AS minute, min(bid_px), max(ask_px), sum(bid_sz) FROM ticks WHERE symbol = 'BTCUSDT' GROUP BY minute ORDER BY minute",
  "SELECT * FROM ticks WHERE symbol = 'EURUSD' LIMIT 200000 FORMAT JSONEachRow",
  "SELECT symbol, quantile(0.99)(toFloat64(ask_px - bid_px)) FROM ticks GROUP BY symbol",
  "SELECT ts, bid_px, ask_px FROM ticks WHERE bid_sz > 50 LIMIT 1000000 FORMAT Native",
];

process.once("message", (order: ReaderOrder) => {
  void work(order).then((report) => {
    process.send!(report);
    process.disconnect!();
  });
});

async function work({ url, password, readers }: ReaderOrder): Promise<ReaderReport> {
  const end = new AbortController();
  process.once("message", () => end.abort());
  const pool = new Pool(url, { connections: readers + 1, headersTimeout: 0, bodyTimeout: 0 });
  const headers = password === undefined ? {} : { "x-clickhouse-key": password };
  let statements = 0;
  const start = performance.now();
  const reader = async (first: number): Promise<void> => {
    for (let i = first; !end.signal.aborted; i++) {
      const sql = STATEMENTS[i % STATEMENTS.length]!;
      const { statusCode, body } = await pool.request({ method: "POST", path: "/", body: sql, headers });
      let bytes = 0;
      for await (const piece of body) bytes += (piece as Buffer).length;
      if (statusCode !== 200 || bytes === 0) throw new Error(`${sql}: status ${statusCode}, ${bytes} bytes`);
      statements += 1;
    }
  };
  await Promise.all(Array.from({ length: readers }, (_, i) => reader(i)));
  if (readers === 0 && !end.signal.aborted)
    await new Promise((resolve) => end.signal.addEventListener("abort", resolve));
  const seconds = (performance.now() - start) / 1000;
  await pool.close();
  return { statements, seconds };
}
