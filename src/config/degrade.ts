import { z } from "zod";
import { formatDuration, formatPercent, MINUTE_MS } from "../base/units.js";
import { duration, someDuration, somePercent } from "./values.js";

/** What a table's ladder is made of: `tables.NAME.degrade`. */

const LEAVE_SHARE = 2 / 3;

const STEP = z
  .strictObject({
    do: z.enum(["dedup", "sample", "conflate", "drop_quotes", "drop_trades", "drop"]),
    every: someDuration(1, MINUTE_MS).optional(),
    enter: somePercent(0.05, 1).optional(),
    leave: somePercent(0, 1).optional(),
    stay: duration("5s", 1, 60 * MINUTE_MS),
  })
  .transform((step) => ({ ...step, leave: step.leave ?? (step.enter ?? 1) * LEAVE_SHARE }));

/** One step, as it was resolved: milliseconds and shares. Without `enter` it is entered when nothing gentler makes room any more. */
export type DegradeStep = z.output<typeof STEP>;

/** Under load quotes and depth get fewer and fewer; they go before any trade does. */
const MARKET_DATA: readonly z.input<typeof STEP>[] = [
  { do: "dedup", enter: "70%", leave: "50%" },
  { do: "sample", every: "10ms", enter: "76%", leave: "56%" },
  { do: "sample", every: "50ms", enter: "82%", leave: "62%" },
  { do: "sample", every: "250ms", enter: "88%", leave: "68%" },
  { do: "conflate", every: "1s", enter: "92%", leave: "72%" },
  { do: "drop_quotes", enter: "96%", leave: "76%" },
  { do: "drop_trades", leave: "80%" },
];

/** The ladder of market_data while it is best effort, unless the configuration has another. */
export const MARKET_DATA_LADDER: readonly DegradeStep[] = MARKET_DATA.map((step) => STEP.parse(step));

function formatStep({ do: action, every, enter, leave, stay }: DegradeStep): string {
  const parts = [
    `do: ${action}`,
    ...(every === undefined ? [] : [`every: ${formatDuration(every)}`]),
    ...(enter === undefined ? [] : [`enter: ${formatPercent(enter)}`]),
    `leave: ${formatPercent(leave)}`,
    `stay: ${formatDuration(stay)}`,
  ];
  return `{ ${parts.join(", ")} }`;
}

/** The key itself. */
export const DEGRADE = z
  .array(STEP)
  .optional()
  .meta({
    description:
      "under load, gentlest step first, each { do, every, enter, leave, stay }: see the guide on overload; default: market_data thins out, others drop the oldest batch",
    restart: false,
    format: (steps: readonly DegradeStep[]) => `[${steps.map(formatStep).join(", ")}]`,
  });
