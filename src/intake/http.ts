import { setImmediate as turn } from "node:timers/promises";
import { messageOf } from "../base/errors.js";
import { formatSize } from "../base/units.js";
import { type InstantNumber, ms } from "../native/instant-number.js";
import type { TableWriter } from "../recorder.js";
import { type BodyMemory, HeldBody } from "./body-memory.js";
import { Fates } from "./fates.js";
import { gunzip } from "./gunzip.js";
import { LineError } from "./line-error.js";
import { LineSplitter } from "./lines.js";
import type { RowMaker } from "./mapping/compile.js";
import { NdjsonReader } from "./ndjson.js";
import type { Normaliser } from "./normalise/normaliser.js";
import type { GivenRow, TableNormaliser } from "./normalise/table-normaliser.js";
import { plainRows } from "./plain-rows.js";
import type { ReadRecord } from "./record-reader.js";
import { asRowError, Rejections } from "./rejections.js";
import { unlessAborted } from "./unless-aborted.js";

/** One refused row of a request, as the answer tells it. */
interface RefusedLine {
  readonly line: number;
  readonly column: string | null;
  readonly reason: string;
}

/** What became of a request. */
export type RequestOutcome =
  /** 200: every accepted row is in ClickHouse. `errors` tells the first refused rows. */
  | {
      readonly kind: "stored";
      readonly accepted: number;
      readonly rejected: number;
      readonly errors: readonly RefusedLine[];
    }
  /** 400: the body cannot be read. No row of it was taken. */
  | { readonly kind: "malformed"; readonly message: string }
  /** 413: the body is too large. No row of it was taken. */
  | { readonly kind: "too_large"; readonly message: string }
  /** 503: the table, or the memory for bodies, is at its limit. No row was taken. */
  | { readonly kind: "full"; readonly message: string }
  /** 503: `taken` rows of it were taken, and not all of those are known to be in ClickHouse. */
  | { readonly kind: "not_stored"; readonly taken: number; readonly message: string };

export interface RequestOptions {
  readonly writer: TableWriter;
  readonly normaliser: Normaliser;
  /** The body as it came. */
  readonly body: AsyncIterable<Buffer>;
  readonly isGzip: boolean;
  readonly maxLineBytes: number;
  /** Most bytes of the body, after decompression. */
  readonly maxBodyBytes: number;
  /** What the bodies of all requests share. */
  readonly memory: BodyMemory;
  /** Aborts when the caller has gone or has waited long enough. */
  readonly signal: AbortSignal;
}

const SHOWN_MAX = 100;

/**
 * Records the NDJSON of one request and resolves when the fate of its rows is known. The body is read to its end first,
 * so that one that is cut off, broken or too large leaves nothing behind.
 */
export async function recordRequest(options: RequestOptions): Promise<RequestOutcome> {
  const { writer } = options;
  const arrivedAt = ms(Date.now());
  if (writer.full) return { kind: "full", message: `${writer.table.name} is at its limit` };
  const held = new HeldBody(options.memory);
  try {
    return (await readBody(options, held)) ?? (await new RequestIngest(options, arrivedAt).run(held));
  } finally {
    held.release();
  }
}

/** Why the body was not read to its end; undefined if it was. */
async function readBody(options: RequestOptions, held: HeldBody): Promise<RequestOutcome | undefined> {
  const { isGzip, maxBodyBytes, memory, signal } = options;
  const body = unowned(options);
  let bytes = 0;
  try {
    for await (const chunk of isGzip ? gunzip(body) : body) {
      bytes += chunk.length;
      if (bytes > maxBodyBytes) {
        return { kind: "too_large", message: `the body is larger than ${formatSize(maxBodyBytes)}` };
      }
      if (!held.add(chunk)) {
        const message = `the bodies of all requests are at their limit of ${formatSize(memory.max)}`;
        return { kind: "full", message };
      }
    }
  } catch (error) {
    if (signal.aborted) return { kind: "not_stored", taken: 0, message: "not read before the deadline" };
    return { kind: "malformed", message: `the body cannot be read: ${messageOf(error)}` };
  }
  return undefined;
}

/**
 * Ending the loop over a request's body destroys its socket, and with it the answer; ending this one does not. @throws
 * when the signal aborts, also while a body is waited for that does not come.
 */
async function* unowned({ body, signal }: RequestOptions): AsyncGenerator<Buffer> {
  const iterator = body[Symbol.asyncIterator]();
  for (;;) {
    let next: IteratorResult<Buffer> | undefined;
    const arrival = iterator.next().then((result) => {
      next = result;
    });
    await unlessAborted(arrival, signal);
    signal.throwIfAborted();
    if (next === undefined || next.done === true) return;
    yield next.value;
  }
}

class RequestIngest {
  readonly #options: RequestOptions;
  readonly #arrivedAt: InstantNumber;
  readonly #rows: RowMaker;
  readonly #normaliser: TableNormaliser;
  readonly #fates = new Fates();
  readonly #rejections = new Rejections(SHOWN_MAX);

  constructor(options: RequestOptions, arrivedAt: InstantNumber) {
    const { table } = options.writer;
    this.#options = options;
    this.#arrivedAt = arrivedAt;
    this.#normaliser = options.normaliser.of(table.name);
    // A request has no identity of its own; its rows may bring theirs.
    this.#rows = plainRows(table, ["source", "source_seq", ...this.#normaliser.keys]);
  }

  async run(body: HeldBody): Promise<RequestOutcome> {
    const { maxLineBytes, signal } = this.#options;
    const reader = new NdjsonReader();
    const lines = new LineSplitter(maxLineBytes);
    for (const chunk of body.drain()) {
      await this.#take(reader.read(lines.push(chunk)));
      // One large body must not hold up everything else.
      await turn();
    }
    await this.#take(reader.read(lines.end()));
    await unlessAborted(this.#fates.settled(), signal);
    const { taken, stored, failure } = this.#fates;
    if (failure !== undefined) return { kind: "not_stored", taken, message: failure };
    if (signal.aborted) return { kind: "not_stored", taken, message: "not stored before the deadline" };
    return {
      kind: "stored",
      accepted: stored,
      rejected: this.#rejections.rows,
      errors: this.#rejections.first.map(({ line, column, reason }) => ({
        line,
        column: column ?? null,
        reason,
      })),
    };
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
  #offer({ line, raw, value }: ReadRecord, keeping: Promise<void>[]): boolean {
    const { writer } = this.#options;
    try {
      if (value instanceof LineError) throw value;
      const row = this.#rows(value) as GivenRow;
      this.#normaliser.normalise(row, this.#arrivedAt);
      const ticket = writer.offer(row);
      if (ticket === undefined) return false;
      this.#normaliser.taken(row);
      this.#fates.add(ticket);
    } catch (error) {
      this.#rejections.add(line, asRowError(error));
      keeping.push(writer.rejected(raw, error));
    }
    return true;
  }
}
