import type { Stressed } from "./stress.js";

/** `flush.bytes` of every table. */
const BODY_BYTES = 8 * 2 ** 20;
const REQUESTS = 2;
/** Of the memory limit, what live rows of a table with a log may take beside it, of which one is under load here. */
const AHEAD_SHARE = 0.125;

/** What may be held at most, as the chapter on memory of `docs/internals/sink.md` has it. */
function memoryBound(max: number): number {
  return max * (1 + AHEAD_SHARE) + REQUESTS * BODY_BYTES;
}

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
  const { memoryPeak, memoryMax } = samples.at(-1)!;
  say(memoryPeak > memoryBound(memoryMax), `memory: ${memoryPeak} of ${memoryMax} bytes`);
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
