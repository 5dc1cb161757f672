import { Simulator } from "./simulator.js";

const TICK_MS = 20;

/** Starts a simulated market of so many market events per second; `stop` ends it. */
export function startFeed(
  eventsPerSecond: number,
  seed: number,
  take: (table: string, row: Readonly<Record<string, unknown>>) => void,
): { stop(): void } {
  const simulator = new Simulator(seed);
  const start = performance.now();
  const startedAt = BigInt(Date.now()) * 1_000_000n;
  let events = 0;
  const timer = setInterval(() => {
    const due = Math.floor(((performance.now() - start) / 1000) * eventsPerSecond);
    for (; events < due; events++) {
      const now = startedAt + BigInt(Math.round((events / eventsPerSecond) * 1e9));
      for (const { table, row } of simulator.next(now)) take(table, row);
    }
  }, TICK_MS);
  return { stop: () => clearInterval(timer) };
}
