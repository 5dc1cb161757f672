import type { ConfigInput } from "../../../src/config/schema.js";
import { slow } from "../../support/fault-proxy-faults.js";
import type { Rates } from "./load.js";
import type { Phase, Surroundings } from "./stress.js";

export const CALM: Rates = { market: 5_000, critical: 100 };
export const STORM: Rates = { market: 1_000_000, critical: 5_000 };

const SLOW_MS = 500;

function slowDown({ proxy }: Surroundings): void {
  proxy.on({ times: Number.POSITIVE_INFINITY }, slow(SLOW_MS));
}

/** ClickHouse slows down, stops and comes back while the rates last. */
export function storm(seconds: number, rates: Rates = STORM, rest = 1): Phase[] {
  return [
    { name: "at rest", seconds: rest, rates: CALM },
    { name: "slow", seconds, rates, begin: slowDown },
    { name: "stopped", seconds, rates, begin: ({ proxy }) => proxy.refuse() },
    {
      name: "back",
      seconds,
      rates,
      begin: async ({ proxy }) => {
        proxy.clear();
        await proxy.accept();
      },
    },
  ];
}

/** The built-in ladder of market_data with another stay. */
export function staying(stay: string): ConfigInput {
  return {
    tables: {
      market_data: {
        degrade: [
          { do: "dedup", enter: "70%", leave: "50%", stay },
          { do: "sample", every: "10ms", enter: "76%", leave: "56%", stay },
          { do: "sample", every: "50ms", enter: "82%", leave: "62%", stay },
          { do: "sample", every: "250ms", enter: "88%", leave: "68%", stay },
          { do: "conflate", every: "1s", enter: "92%", leave: "72%", stay },
          { do: "drop_quotes", enter: "96%", leave: "76%", stay },
          { do: "drop_trades", leave: "80%", stay },
        ],
      },
    },
  };
}
