import type { Batch } from "../buffer/batch.js";
import type { ClickHouse, RequestOptions } from "../clickhouse/client.js";
import { askReplica } from "../schemas/ask-replica.js";
import { countStored, readStored, type StoredSpan } from "./stored-seqs.js";

/** What ClickHouse holds of a batch. */
export interface Found {
  /** Rows with a seq of the batch. */
  readonly rows: number;
  /** Different seqs among them: fewer than rows means that some were stored twice. */
  readonly seqs: number;
  /** How many seqs of each frame are among them, for a batch of frames. */
  readonly perFrame: readonly number[];
}

/** What has to be known of a batch to count its rows. */
type Counted = Pick<
  Batch,
  "table" | "partition" | "inherited" | "recorder" | "run" | "rows" | "frames" | "firstSeq" | "lastSeq"
>;

export interface InquiryOptions {
  readonly clickhouse: ClickHouse;
  /** Milliseconds for one question. */
  readonly deadlineMs: number;
}

/** Finds out what became of a batch whose attempts gave no answer that can be believed. */
export class Inquiry {
  readonly #options: InquiryOptions;

  constructor(options: InquiryOptions) {
    this.#options = options;
  }

  /**
   * Counts the batch's rows. End its attempts before. On a replicated table, what other replicas have is fetched before.
   * @throws what {@link askReplica} throws
   */
  async count(batch: Counted, at: string, signal: AbortSignal): Promise<Found> {
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

  async #count(batch: Counted, request: RequestOptions): Promise<Found> {
    const { clickhouse } = this.#options;
    const { table, partition, inherited, recorder, run, frames, firstSeq, lastSeq } = batch;
    // The table may have been cut otherwise when the rows were logged; run and number find them in whatever partition.
    const rows = inherited ? { table, recorder, run } : { table, partition, recorder, run };
    const first = frames.reduce((least, frame) => Math.min(least, frame.firstSeq), Infinity);
    const last = frames.reduce((most, frame) => Math.max(most, frame.firstSeq + frame.count - 1), 0);
    const range = frames.length === 0 ? { first: firstSeq, last: lastSeq } : { first, last };
    const counted = await countStored(clickhouse, { ...rows, ...range }, request);
    if (frames.length === 0) return { ...counted, perFrame: [] };
    if (counted.seqs === 0) return { ...counted, perFrame: frames.map(() => 0) };
    // Nothing can be between them, so the count, which is cheaper, tells all.
    if (last - first + 1 === batch.rows && counted.seqs === batch.rows)
      return { ...counted, perFrame: frames.map(({ count }) => count) };
    // Frames between them may have been stored long ago, or copied in another order.
    const stored = await readStored(clickhouse, { ...rows, first, last }, request);
    const perFrame = frames.map(({ firstSeq: from, count }) => storedIn(stored, from, from + count - 1));
    const seqs = perFrame.reduce((sum, each) => sum + each, 0);
    const twice = stored.reduce((sum, span) => sum + span.rows - (span.last - span.first + 1), 0);
    return { rows: seqs + twice, seqs, perFrame };
  }
}

/** How many of the seqs from `first` to `last` are in the spans, which ascend. */
function storedIn(spans: readonly StoredSpan[], first: number, last: number): number {
  let low = 0;
  let high = spans.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (spans[middle]!.last < first) low = middle + 1;
    else high = middle;
  }
  let seqs = 0;
  for (let at = low; at < spans.length && spans[at]!.first <= last; at += 1)
    seqs += Math.min(last, spans[at]!.last) - Math.max(first, spans[at]!.first) + 1;
  return seqs;
}
