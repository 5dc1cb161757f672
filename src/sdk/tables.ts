import type { EventRecorder } from "./events.js";
import type { RowOf } from "./rows.js";

/** Takes the rows of one table, on one thread. */
export interface RecordingTable<R> {
  /**
   * Takes a row: copies it into the ring and returns. Never waits, never allocates, makes no system call, and does not throw for what
   * the row holds: a row that does not fit its table goes to the dead letters, with a reason. Do not change an
   * array of the row before this returns. (A row without `ts_local` gets the time of the call, for which Node's clock
   * allocates 16 bytes.)
   *
   * @returns whether the row was taken; false, counted, when the ring is full or the row larger than a quarter of it
   */
  readonly record: (row: R) => boolean;
}

/** The built-in tables by name, and the entry for events of all of them. */
export interface BuiltInTables {
  readonly marketData: RecordingTable<RowOf<"market_data">>;
  readonly orders: RecordingTable<RowOf<"orders">>;
  readonly fills: RecordingTable<RowOf<"fills">>;
  readonly positionsIntraday: RecordingTable<RowOf<"positions_intraday">>;
  readonly accountState: RecordingTable<RowOf<"account_state">>;
  readonly riskDecisions: RecordingTable<RowOf<"risk_decisions">>;
  readonly guardrailTransitions: RecordingTable<RowOf<"guardrail_transitions">>;
  readonly systemEvents: RecordingTable<RowOf<"system_events">>;
  readonly events: EventRecorder;
}
