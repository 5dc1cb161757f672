import { Histogram } from "../../src/base/histogram.js";
import type { RecorderStats, TableStats } from "../../src/recorder.js";

/** The counters of a recorder of two tables, to be turned by a test. */
export class Recorded {
  readonly freshness: Histogram = new Histogram([0.1, 1, 10]);
  readonly inserts: Histogram = new Histogram([0.1, 1, 10]);
  offered = 0;
  stored = 0;
  inherited = 0;
  deduplicated = 0;
  usage = 0;
  pending = 0;

  /** Those of `orders` are the fields; `fills` is quiet. */
  stats(): RecorderStats {
    const { offered, stored, inherited, deduplicated, usage } = this;
    const orders = { offered, accepted: offered, stored, deduplicated, usage };
    return {
      tables: {
        orders: tableOf({
          ...orders,
          pending: { rows: this.pending, held: this.pending, bytes: 0 },
          inherited: { stored: inherited, deadLettered: 0, dropped: 0, pending: 0 },
          freshness: this.freshness.snapshot(),
          insertSeconds: this.inserts.snapshot(),
        }),
        fills: tableOf({ usage: 0.125 }),
      },
      wal: { bytes: 4096, logged: { orders: stored } },
      spool: { fills: { spooled: 0, bytes: 10 } },
    } as unknown as RecorderStats;
  }
}

function tableOf(stats: Partial<TableStats>): TableStats {
  const nothing = new Histogram([0.1, 1, 10]).snapshot();
  return {
    ...{ offered: 0, accepted: 0, stored: 0, deduplicated: 0, sampled: 0, deadLettered: 0 },
    refused: {},
    pending: { rows: 0, bytes: 0 },
    dropped: {},
    inherited: { stored: 0, deadLettered: 0, dropped: 0, pending: 0 },
    freshness: nothing,
    insertSeconds: nothing,
    ...stats,
  } as TableStats;
}
