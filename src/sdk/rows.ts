import type { ExecType, LastSide, Level, Liquidity, Severity, Side } from "../intake/normalise/spellings.js";
import type { InstantNumber } from "../native/instant-number.js";
import type { TableRows } from "../schemas/tables.generated.js";
import type { DecimalValue } from "../schemas/values.js";

/** Rows as a producer gives them: the tables' columns, and what the pipeline makes columns of. */

/**
 * For each time column of a row a second one, with `_ns` behind its name: nanoseconds (0 to 999) on top of a time made by `ms` or
 * `us`, for those who have them and do not want a bigint.
 */
type Nanoseconds<R> = {
  readonly [K in keyof R & string as InstantNumber extends R[K] ? `${K}_ns` : never]?: number;
};

/** `R` with other types for some of its columns. */
type With<R, Columns> = Omit<R, keyof Columns> & Readonly<Columns>;

/** `R`, where these columns may be left out. */
type Filled<R, K extends keyof R> = Omit<R, K> & Partial<Pick<R, K>>;

/** Names the order that a step or a fill belongs to. */
type OrderId = { readonly client_order_id: string } | { readonly broker_order_id: string };

interface GivenRows {
  /** Without `ts_local` the time of the call is stored, without `ts_exchange` also there. */
  readonly market_data: With<
    Filled<TableRows["market_data"], "ts_exchange" | "ts_local">,
    {
      last_side?: LastSide | null;
      /** The book's sides, best first; stored to the configured depth in `bid_px`, `bid_sz`, `ask_px` and `ask_sz`. */
      bids?: readonly Level[];
      asks?: readonly Level[];
    }
  >;
  /** The first step of an order says strategy, symbol, side and qty; those after it may leave out what has not changed. */
  readonly orders: With<
    Filled<TableRows["orders"], "client_order_id" | "strategy" | "symbol" | "side" | "qty">,
    { side?: Side }
  > &
    OrderId;
  /** A fill of an order whose steps were recorded may leave out what they say, so may a bust or correction of a recorded fill. */
  readonly fills: With<
    Filled<TableRows["fills"], "symbol" | "side" | "fill_qty" | "fill_px">,
    { side?: Side; exec_type?: ExecType; liquidity?: Liquidity }
  > &
    (
      | {
          readonly symbol: string;
          readonly side: Side;
          readonly fill_qty: DecimalValue;
          readonly fill_px: DecimalValue;
        }
      | (OrderId & { readonly fill_qty: DecimalValue; readonly fill_px: DecimalValue })
      | { readonly exec_type: ExecType; readonly corrects_fill_id: string }
    );
  readonly positions_intraday: TableRows["positions_intraday"];
  readonly account_state: TableRows["account_state"];
  readonly risk_decisions: TableRows["risk_decisions"];
  readonly guardrail_transitions: TableRows["guardrail_transitions"];
  readonly system_events: With<TableRows["system_events"], { severity?: Severity }>;
  readonly recorder_runs: TableRows["recorder_runs"];
}

/** A row of a built-in table, as `record()` takes it. */
export type RowOf<T extends keyof TableRows> = GivenRows[T] & Nanoseconds<TableRows[T]>;
