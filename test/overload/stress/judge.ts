import type { Stressed } from "./stress.js";

/** A batch that is copied on its way to or from the disk counts twice for that moment: so much may be held beyond the limit. */
const BATCH_BYTES = 8 * 2 ** 20;

/** What must hold of every stressed recorder, whatever happened to it; gives what does not. */
export function violationsOf(
  { samples, steps, counted, account }: Pick<Stressed, "samples" | "steps" | "counted" | "account">,
  stayMs: number,
): string[] {
  const found = [...account.violations];
  const say = (fails: boolean, what: string): void => {
    if (fails) found.push(what);
  };
  const own = steps.filter(({ table }) => table === "market_data");
  say(own.length !== counted.levelChanges, `${counted.levelChanges} level steps, ${own.length} events`);
  say(own.length !== account.levelRows, `${own.length} level steps, ${account.levelRows} rows`);
  let level = 0;
  for (const { from, to } of own) {
    say(from !== level || from === to, `a step from ${from} to ${to} at level ${level}`);
    say(to < from && to !== from - 1, `down from ${from} to ${to} at once`);
    level = to;
  }
  say(level !== 0, `it ends at level ${level}`);
  const over = samples.find(({ memory, memoryMax }) => memory > memoryMax + BATCH_BYTES);
  say(over !== undefined, `memory: ${over?.memory} of ${over?.memoryMax} bytes`);
  const ladder = (account.byReason["sampled"] ?? 0) + (account.byReason["deduplicated"] ?? 0);
  say(ladder !== counted.left, `${counted.left} rows left out by the ladder, ${ladder} told of`);
  const { refused, deadLettered, conservation } = counted.stats;
  const turned = deadLettered + Object.values(refused).reduce((sum, rows) => sum + rows, 0);
  say(turned > 0, `${turned} rows that a ring took were refused: ${JSON.stringify(refused)}`);
  say(conservation.violations > 0, `the recorder's own sums: ${JSON.stringify(conservation)}`);
  say(counted.pending > 0, `${counted.pending} rows are pending at the end`);
  const { reversals, seconds } = reversalsOf(own);
  const most = Math.ceil((seconds * 1000) / stayMs);
  say(reversals > most, `${reversals} reversals in ${seconds.toFixed(1)} s, stay ${stayMs} ms`);
  return found;
}

/** How often the direction changed, and in how many seconds. */
export function reversalsOf(
  steps: readonly { readonly from: number; readonly to: number; readonly at: number }[],
): {
  readonly reversals: number;
  readonly seconds: number;
} {
  let reversals = 0;
  for (const [place, step] of steps.entries()) {
    const before = steps[place - 1];
    if (before !== undefined && before.to > before.from !== step.to > step.from) reversals += 1;
  }
  const seconds = steps.length === 0 ? 0 : (steps.at(-1)!.at - steps[0]!.at) / 1000;
  return { reversals, seconds };
}
