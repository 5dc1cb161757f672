import { type Clock, sleep } from "../base/clock.js";
import { ColdpathError } from "../base/errors.js";
import { MINUTE_MS, SECOND_MS } from "../base/units.js";
import type { Batch } from "../buffer/batch.js";
import type { ClickHouse, RequestOptions } from "../clickhouse/client.js";
import { ClickHouseError } from "../clickhouse/error.js";
import { quoteName } from "../clickhouse/quote.js";
import { askReplica } from "../schemas/ask-replica.js";
import { parameterText, partitionCondition } from "./partition-condition.js";

/** What ClickHouse holds of a batch. */
export interface Found {
  /** Rows with a seq of the batch. */
  readonly rows: number;
  /** Different seqs among them: fewer than rows means that some were stored twice. */
  readonly seqs: number;
}

export interface InquiryOptions {
  readonly clickhouse: ClickHouse;
  readonly clock: Clock;
  /** Milliseconds for one question. */
  readonly deadlineMs: number;
}

/** No attempt may be seen running for this long before the count is believed: a request may still be on its way in. */
const SETTLE_MS = 250;
const POLL_MS = 50;
/** After this long the question is put off; a killed INSERT ends within one block. */
const FENCE_MAX_MS: number = MINUTE_MS;

/** Another endpoint than the one in use is not waited for: it may be the one that went silent. */
const ELSEWHERE_DEADLINE_MS: number = 2 * SECOND_MS;
/** How long one that did not answer is not asked again: every batch in doubt would wait for it. */
const SILENT_MS: number = 10 * SECOND_MS;

/** Finds out what became of a batch whose attempts gave no answer that can be believed. */
export class Inquiry {
  readonly #options: InquiryOptions;
  /** Until when endpoints that did not answer are taken to be silent still, monotonic milliseconds. */
  readonly #silentUntil = new Map<string, number>();

  constructor(options: InquiryOptions) {
    this.#options = options;
  }

  /**
   * Resolves when none of the attempts runs any more, so that what is counted afterwards stays true, with the endpoints for which
   * that is so: the one `used`, and of the others those that answer.
   * @throws UnreachableError, ClickHouseError, or ColdpathError DEADLINE if one keeps running.
   */
  async fence(attempts: readonly string[], used: string, signal: AbortSignal): Promise<ReadonlySet<string>> {
    const { clickhouse, clock, deadlineMs } = this.#options;
    const fenced = new Set<string>();
    await Promise.all(
      clickhouse.endpoints.map(async (at) => {
        if (at !== used && clock.monotonic() < (this.#silentUntil.get(at) ?? 0)) return;
        try {
          await this.#fenceAt(at, attempts, at === used ? deadlineMs : ELSEWHERE_DEADLINE_MS, signal);
          fenced.add(at);
        } catch (error) {
          if (at === used || signal.aborted) throw error;
          this.#silentUntil.set(at, clock.monotonic() + SILENT_MS);
        }
      }),
    );
    return fenced;
  }

  async #fenceAt(
    at: string,
    attempts: readonly string[],
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<void> {
    const { clickhouse, clock } = this.#options;
    const params = Object.fromEntries(attempts.map((attempt, i) => [`a${i}`, parameterText(attempt)]));
    const ours = `Settings['log_comment'] IN (${attempts.map((_, i) => `{a${i}:String}`)})`;
    const request = { at, params, timeoutMs, signal };
    const startedAt = clock.monotonic();
    let quietSince = Infinity;
    // ASYNC: the embedded engine never answers KILL QUERY … SYNC.
    await clickhouse.command(`KILL QUERY WHERE ${ours} ASYNC`, request).catch((error: unknown) => {
      // A user may lack the right to kill: then an attempt is waited for. No answer is another matter.
      if (!(error instanceof ClickHouseError)) throw error;
    });
    while (clock.monotonic() - quietSince < SETTLE_MS) {
      const [running] = await clickhouse.rows<{ n: string }>(
        `SELECT count() AS n FROM system.processes WHERE ${ours}`,
        request,
      );
      const now = clock.monotonic();
      quietSince = running!.n === "0" ? Math.min(quietSince, now) : Infinity;
      if (running!.n !== "0" && now - startedAt > FENCE_MAX_MS)
        throw new ColdpathError(
          "DEADLINE",
          `an INSERT of ours does not end after KILL QUERY: ${attempts[0]}`,
        );
      await sleep(clock, POLL_MS, signal);
    }
  }

  /**
   * Counts the batch's rows. Call {@link fence} before. On a replicated table, what other replicas have is fetched before.
   * @throws what {@link askReplica} throws
   */
  async count(batch: Batch, at: string, signal: AbortSignal): Promise<Found> {
    const { clickhouse, deadlineMs } = this.#options;
    return await askReplica({
      clickhouse,
      table: batch.table,
      at,
      fetchMs: deadlineMs,
      signal,
      ask: (request) => this.#count(batch, { ...request, timeoutMs: deadlineMs, signal }),
      isSure: ({ seqs }) => seqs >= batch.rows,
    });
  }

  async #count(batch: Batch, request: RequestOptions): Promise<Found> {
    const { clickhouse } = this.#options;
    const { database, name } = batch.table;
    const partition = partitionCondition(batch.table, batch.partition);
    const [counted] = await clickhouse.rows<{ rows: string; seqs: string }>(
      `SELECT count() AS rows, uniqExact(seq) AS seqs FROM ${quoteName(database)}.${quoteName(name)}
       WHERE recorder = {recorder:String} AND run = {run:UInt64}
         AND seq BETWEEN {first:UInt64} AND {last:UInt64} AND ${partition.sql}`,
      {
        ...request,
        params: {
          ...partition.params,
          recorder: parameterText(batch.recorder),
          run: batch.run,
          first: batch.firstSeq,
          last: batch.lastSeq,
        },
      },
    );
    return { rows: Number(counted!.rows), seqs: Number(counted!.seqs) };
  }
}
