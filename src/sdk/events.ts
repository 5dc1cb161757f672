import type { AnyRow } from "../ring/compile-record.js";
import type { RingProducer } from "../ring/producer.js";
import type { DecimalValue } from "../schemas/values.js";
import type { RowOf } from "./rows.js";

/** The events of a trading system, told apart by `type`, for a bus that carries all of them. */

type Typed<T extends string, R> = { readonly type: T } & R;
type MarketData = Omit<RowOf<"market_data">, "kind">;
type Trade = MarketData & { readonly last_px: DecimalValue; readonly last_qty: DecimalValue };

/** A row of the table that `type` stands for; the other keys are its columns. */
export type RecordedEvent =
  | Typed<"quote", MarketData>
  | Typed<"depth", MarketData>
  | Typed<"trade", Trade>
  | Typed<"order", RowOf<"orders">>
  | Typed<"fill", RowOf<"fills">>
  | Typed<"position", RowOf<"positions_intraday">>
  | Typed<"account", RowOf<"account_state">>
  | Typed<"risk_decision", RowOf<"risk_decisions">>
  | Typed<"guardrail_transition", RowOf<"guardrail_transitions">>
  | Typed<"system_event", RowOf<"system_events">>;

export type EventType = RecordedEvent["type"];

/** The events of one type. */
export type EventOf<T extends EventType> = Extract<RecordedEvent, { readonly type: T }>;

/** Takes events of all types, on one thread. */
export interface EventRecorder {
  /**
   * Takes an event into the table of its type, as that table's `record` does: the same object, not a copy.
   *
   * @returns whether the event was taken; false, counted in `unknownEvents`, also when its type is none of the above
   */
  readonly record: (event: RecordedEvent) => boolean;
}

/** The entry of a producer for events of all types. */
export function eventRecorder(producer: RingProducer): EventRecorder {
  const quote = producer.recordOf("market_data", { kind: "quote" });
  const depth = producer.recordOf("market_data", { kind: "depth" });
  const trade = producer.recordOf("market_data", { kind: "trade" });
  const order = producer.recordOf("orders");
  const fill = producer.recordOf("fills");
  const position = producer.recordOf("positions_intraday");
  const account = producer.recordOf("account_state");
  const riskDecision = producer.recordOf("risk_decisions");
  const guardrailTransition = producer.recordOf("guardrail_transitions");
  const systemEvent = producer.recordOf("system_events");
  const record = (event: AnyRow): boolean => {
    // Untyped callers may hand over anything, null included.
    switch ((event as AnyRow | null | undefined)?.["type"]) {
      case "quote":
        return quote(event);
      case "depth":
        return depth(event);
      case "trade":
        return trade(event);
      case "order":
        return order(event);
      case "fill":
        return fill(event);
      case "position":
        return position(event);
      case "account":
        return account(event);
      case "risk_decision":
        return riskDecision(event);
      case "guardrail_transition":
        return guardrailTransition(event);
      case "system_event":
        return systemEvent(event);
      default:
        producer.countUnknown();
        return false;
    }
  };
  return { record: record as EventRecorder["record"] };
}
