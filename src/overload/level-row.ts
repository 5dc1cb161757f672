import type { Row } from "../native/block.js";
import type { LevelEvent } from "./events.js";

/**
 * A change of level as a row of `system_events`.
 *
 * @param wall milliseconds since the Unix epoch
 */
export function levelRow({ table, from, to, step, forced, pressure, cause }: LevelEvent, wall: number): Row {
  const way = to > from ? "up" : "down";
  return {
    ts: new Date(wall),
    kind: "level",
    severity: "warning",
    component: "overload",
    message: `${table} goes ${way} to level ${to}, ${step}: pressure ${Math.round(pressure * 100)}%, from ${cause}`,
    attributes: {
      table,
      from: `${from}`,
      to: `${to}`,
      step,
      forced: `${forced}`,
      pressure: pressure.toFixed(3),
      cause,
    },
  };
}
