import type { Row } from "../native/block.js";
import type { LinkState, RecorderEvent } from "./events.js";

const SEVERITY: Readonly<Record<LinkState, string>> = {
  up: "info",
  recovering: "info",
  degraded: "warning",
  down: "error",
};

/** The row of `system_events` that tells of a change of the link. */
export function linkRow(event: RecorderEvent & { readonly kind: "link" }, wallMs: number): Row {
  const { from, to, reason, endpoint } = event;
  return {
    ts: new Date(wallMs),
    kind: "link",
    severity: SEVERITY[to],
    component: "sink",
    message: `${from} → ${to}: ${reason}`,
    attributes: { from, to, endpoint },
  };
}
