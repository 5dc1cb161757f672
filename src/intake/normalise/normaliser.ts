import { DECISION } from "./decision.js";
import { marketData } from "./market-data.js";
import { type LifeStats, OrderLives } from "./order-lives.js";
import { SEVERITY } from "./severity.js";
import { symbolOf } from "./symbol.js";
import type { TableNormaliser } from "./table-normaliser.js";

export interface NormaliserOptions {
  /** Levels of a book that are stored, of each side. */
  readonly depth: number;
  /** Orders, and fills, that are remembered for the rows that follow. */
  readonly remember?: number;
}

/** About 0.6 KiB of heap each: 20 MiB of both. */
const REMEMBER = 16_384;

/** Keeps rows as they are given. */
export const AS_GIVEN: TableNormaliser = { keys: [], normalise() {}, taken() {} };

/**
 * Events as producers, venues and FIX write them become rows of the built-in tables: one word per meaning, book levels as arrays,
 * times stamped, steps of an order completed by those before them. `docs/reference/events.md` lists all of it. One for all intakes
 * of a recorder, since an order's steps may come by any.
 */
export class Normaliser {
  readonly #lives: OrderLives;
  readonly #tables: ReadonlyMap<string, TableNormaliser>;

  constructor({ depth, remember = REMEMBER }: NormaliserOptions) {
    const lives = new OrderLives(remember);
    this.#lives = lives;
    this.#tables = new Map<string, TableNormaliser>([
      ["market_data", marketData(depth)],
      ["orders", lives.orders],
      ["fills", lives.fills],
      ["positions_intraday", columns({ symbol: symbolOf })],
      ["risk_decisions", columns({ decision: (value) => DECISION.of(value), symbol: symbolOf })],
      ["system_events", columns({ severity: (value) => SEVERITY.of(value) })],
    ]);
  }

  /** Tables without a vocabulary, those of users among them, keep rows as they are given. */
  of(table: string): TableNormaliser {
    return this.#tables.get(table) ?? AS_GIVEN;
  }

  stats(): LifeStats {
    return this.#lives.stats();
  }
}

function columns(readers: Readonly<Record<string, (value: unknown) => unknown>>): TableNormaliser {
  const entries = Object.entries(readers);
  return {
    keys: [],
    normalise(row) {
      for (const [column, read] of entries) {
        const value = row[column];
        if (value !== undefined) row[column] = read(value);
      }
    },
    taken() {},
  };
}
