import { type Clock, sleep } from "../base/clock.js";
import { ColdpathError } from "../base/errors.js";
import { MINUTE_MS, SECOND_MS } from "../base/units.js";
import type { ClickHouse } from "../clickhouse/client.js";
import { ClickHouseError } from "../clickhouse/error.js";
import { type Condition, parameterText } from "./partition-condition.js";

export interface FenceOptions {
  readonly clickhouse: ClickHouse;
  readonly clock: Clock;
  /** Milliseconds for one question. */
  readonly deadlineMs: number;
}

/** Which attempts are meant, with the name of one, or what all names begin with. */
interface Ours extends Condition {
  readonly example: string;
}

/** No attempt may be seen running for this long before a count is believed: a request may still be on its way in. */
const SETTLE_MS = 250;
const POLL_MS = 50;
/** After this long the question is put off; a killed INSERT ends within one block. */
const FENCE_MAX_MS: number = MINUTE_MS;

/** Another endpoint than the one in use is not waited for: it may be the one that went silent. */
const ELSEWHERE_DEADLINE_MS: number = 2 * SECOND_MS;
/** How long one that did not answer is not asked again: every batch in doubt would wait for it. */
const SILENT_MS: number = 10 * SECOND_MS;

/** Ends attempts, so that what is counted afterwards stays true. */
export class Fence {
  readonly #options: FenceOptions;
  /** Until when endpoints that did not answer are taken to be silent still, monotonic milliseconds. */
  readonly #silentUntil = new Map<string, number>();
  /** The endpoints on which nothing of an earlier start runs any more, by the prefix of its attempts' names. */
  readonly #earlierEnded = new Map<string, Set<string>>();
  readonly #endingEarlier = new Map<string, Promise<void>>();

  constructor(options: FenceOptions) {
    this.#options = options;
  }

  /**
   * Resolves when none of the attempts runs any more, so that what is counted afterwards stays true, with the endpoints for which
   * that is so: the one `used`, and of the others those that answer.
   * @throws UnreachableError, ClickHouseError, or ColdpathError DEADLINE if one keeps running.
   */
  async end(attempts: readonly string[], used: string, signal: AbortSignal): Promise<ReadonlySet<string>> {
    const { endpoints } = this.#options.clickhouse;
    const params = Object.fromEntries(attempts.map((attempt, i) => [`a${i}`, parameterText(attempt)]));
    const sql = `Settings['log_comment'] IN (${attempts.map((_, i) => `{a${i}:String}`)})`;
    const ours = { sql, params, example: attempts[0]! };
    return await this.#endAll(ours, endpoints, used, signal);
  }

  /**
   * As {@link end}, for all attempts whose name begins so: those of an earlier start of the recorder. Each endpoint is told once, as our
   * own attempts will bear such names, too.
   */
  async endEarlier(prefix: string, used: string, signal: AbortSignal): Promise<ReadonlySet<string>> {
    const ended = this.#earlierEnded.get(prefix) ?? new Set();
    this.#earlierEnded.set(prefix, ended);
    const running = this.#endingEarlier.get(prefix);
    if (running !== undefined) await running;
    const others = this.#options.clickhouse.endpoints.filter((each) => !ended.has(each));
    if (others.length === 0) return ended;
    const sql = "startsWith(Settings['log_comment'], {prefix:String})";
    const earlier = { sql, params: { prefix: parameterText(prefix) }, example: prefix };
    const ending = this.#endAll(earlier, others, used, signal).then((fenced) => {
      for (const endpoint of fenced) ended.add(endpoint);
    });
    this.#endingEarlier.set(prefix, ending);
    await ending.finally(() => this.#endingEarlier.delete(prefix));
    return ended;
  }

  async #endAll(
    ours: Ours,
    endpoints: readonly string[],
    used: string,
    signal: AbortSignal,
  ): Promise<Set<string>> {
    const { clock, deadlineMs } = this.#options;
    const fenced = new Set<string>();
    await Promise.all(
      endpoints.map(async (at) => {
        if (at !== used && clock.monotonic() < (this.#silentUntil.get(at) ?? 0)) return;
        try {
          await this.#endAt(at, ours, at === used ? deadlineMs : ELSEWHERE_DEADLINE_MS, signal);
          fenced.add(at);
        } catch (error) {
          if (at === used || signal.aborted) throw error;
          this.#silentUntil.set(at, clock.monotonic() + SILENT_MS);
        }
      }),
    );
    return fenced;
  }

  async #endAt(at: string, ours: Ours, timeoutMs: number, signal: AbortSignal): Promise<void> {
    const { clickhouse, clock } = this.#options;
    const request = { at, params: ours.params, timeoutMs, signal };
    const startedAt = clock.monotonic();
    let quietSince = Infinity;
    // ASYNC: the embedded engine never answers KILL QUERY … SYNC.
    await clickhouse.command(`KILL QUERY WHERE ${ours.sql} ASYNC`, request).catch((error: unknown) => {
      // A user may lack the right to kill: then an attempt is waited for. No answer is another matter.
      if (!(error instanceof ClickHouseError)) throw error;
    });
    while (clock.monotonic() - quietSince < SETTLE_MS) {
      const [running] = await clickhouse.rows<{ n: string }>(
        `SELECT count() AS n FROM system.processes WHERE ${ours.sql}`,
        request,
      );
      const now = clock.monotonic();
      quietSince = running!.n === "0" ? Math.min(quietSince, now) : Infinity;
      if (running!.n !== "0" && now - startedAt > FENCE_MAX_MS)
        throw new ColdpathError(
          "DEADLINE",
          `an INSERT of ours does not end after KILL QUERY: ${ours.example}`,
        );
      await sleep(clock, POLL_MS, signal);
    }
  }
}
