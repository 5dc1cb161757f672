import type { Row } from "../native/block.js";
import type { ConditionEvent, ConservationEvent } from "./events.js";

/**
 * The row of `system_events` that tells of a condition, or of rows that do not add up; `docs/guides/overload.md` names its attributes.
 *
 * @param wall milliseconds since the Unix epoch
 * @param changes how often it has changed since the last row
 */
export function healthRow(event: ConditionEvent | ConservationEvent, wall: number, changes: number): Row {
  const { table, holds } = event;
  const of = event.kind === "condition" ? conditionOf(event) : conservationOf(event);
  return {
    ts: new Date(wall),
    kind: event.kind,
    component: "health",
    ...of,
    attributes: { table, holds: `${holds}`, ...of.attributes, changes: `${changes}` },
  };
}

function conditionOf({ name, holds, value, limit, message }: ConditionEvent) {
  return {
    severity: holds ? "warning" : "info",
    message: holds ? message : `over: ${message}`,
    attributes: { name, value: `${value}`, limit: `${limit}` },
  };
}

function conservationOf({ table, holds, imbalance: { offered, accepted }, sums }: ConservationEvent) {
  const counts = Object.entries(sums).map(([name, rows]) => `${name} ${rows}`);
  const message = `rows of ${table} do not add up: of those offered ${offered}, of those accepted ${accepted} are nowhere (less than 0: counted twice); ${counts.join(", ")}`;
  return {
    severity: holds ? "info" : "error",
    message: holds ? `rows of ${table} add up again` : message,
    attributes: { offered: `${offered}`, accepted: `${accepted}` },
  };
}
