import type { TableWriter } from "../recorder.js";
import { HeldBody } from "./body-memory.js";
import { Fates } from "./fates.js";
import type { Normaliser } from "./normalise/normaliser.js";
import type { ReadRecord } from "./record-reader.js";
import { asRowError } from "./rejections.js";
import { type BodyOptions, type NotSafe, readBody, type Unread } from "./request-body.js";
import { RequestRows, type Told } from "./request-rows.js";
import { unlessAborted } from "./unless-aborted.js";

/** 200: every accepted row is safe, in the log or, without one, in ClickHouse. */
type Safe = { readonly kind: "safe" } & Told;

/** What became of a request. */
export type RequestOutcome = Safe | Unread | NotSafe;

export interface RequestOptions extends BodyOptions {
  readonly writer: TableWriter;
  /** Without it rows are taken as they are, and no policy leaves any out: history, which must be the same each time it is loaded. */
  readonly normaliser: Normaliser | undefined;
  readonly maxLineBytes: number;
}

/**
 * Records the NDJSON of one request and resolves when its rows are safe. The body is read to its end first, so that one that is
 * cut off, broken or too large leaves nothing behind.
 */
export async function recordRequest(options: RequestOptions): Promise<RequestOutcome> {
  const { writer, normaliser, maxLineBytes } = options;
  if (writer.full) return { kind: "full", message: `${writer.table.name} is at its limit` };
  const rows = new RequestRows(writer.table, normaliser, maxLineBytes);
  const held = new HeldBody(options.memory);
  try {
    return (await readBody(options, held)) ?? (await new RequestIngest(options, rows).run(held));
  } finally {
    held.release();
  }
}

class RequestIngest {
  readonly #options: RequestOptions;
  readonly #rows: RequestRows;
  readonly #fates: Fates;

  constructor(options: RequestOptions, rows: RequestRows) {
    this.#options = options;
    this.#rows = rows;
    this.#fates = new Fates(options.writer.isLogged ? (ticket) => ticket.durable : undefined);
  }

  async run(body: HeldBody): Promise<RequestOutcome> {
    const { signal } = this.#options;
    for await (const records of this.#rows.records(body.drain())) await this.#take(records);
    await unlessAborted(this.#fates.settled(), signal);
    const { taken, stored, failure } = this.#fates;
    if (failure !== undefined) return { kind: "not_stored", taken, message: failure };
    if (signal.aborted) return { kind: "not_stored", taken, message: "not stored before the deadline" };
    return { kind: "safe", ...this.#rows.told(stored) };
  }

  async #take(records: readonly ReadRecord[]): Promise<void> {
    const { writer, signal } = this.#options;
    const keeping: Promise<void>[] = [];
    for (const record of records) {
      while (!signal.aborted && (writer.full || !this.#offer(record, keeping))) {
        await unlessAborted(writer.room(), signal);
      }
    }
    await Promise.all(keeping);
  }

  /** False if there was no room for the row. */
  #offer(record: ReadRecord, keeping: Promise<void>[]): boolean {
    const { writer, normaliser } = this.#options;
    try {
      const row = this.#rows.rowOf(record);
      const ticket = normaliser === undefined ? writer.offerWhole(row) : writer.offer(row);
      if (ticket === undefined) return false;
      this.#rows.taken(row);
      this.#fates.add(ticket);
    } catch (error) {
      this.#rows.rejections.add(record.line, asRowError(error));
      keeping.push(writer.rejected(record.raw, error));
    }
    return true;
  }
}
