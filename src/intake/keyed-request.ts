import { createHash } from "node:crypto";
import { crashPoint } from "../base/crash-point.js";
import type { KeyedAnswer, Ledger, RowGroup } from "../recorder.js";
import { HeldBody } from "./body-memory.js";
import type { RequestOptions } from "./http.js";
import { asRowError, type RowError } from "./rejections.js";
import { type NotSafe, readBody, type Unread } from "./request-body.js";
import { RequestRows } from "./request-rows.js";
import { unlessAborted } from "./unless-aborted.js";

export type KeyedOutcome =
  /** The rows are safe and this is the answer, now or since an earlier request with this key. */
  | {
      readonly kind: "answered";
      readonly status: number;
      readonly answer: string;
      readonly replayed: boolean;
    }
  /** 409: an earlier request with this key has no answer yet. */
  | { readonly kind: "in_progress" }
  /** 422: the key was used for something else. */
  | { readonly kind: "other_request" }
  | Unread
  | NotSafe;

export interface KeyedOptions extends RequestOptions {
  readonly key: string;
  readonly keys: Ledger;
  /** Of the writer's table; it takes the rows of this request. */
  readonly group: RowGroup;
}

const OK = 200;

/**
 * Records a request that may come again under the same key: its rows and the answer go into the log together. The body is read and
 * each row of it looked at before that; until then nothing was taken, and the key is as if it had never come.
 */
export async function recordKeyedRequest(options: KeyedOptions): Promise<KeyedOutcome> {
  const { keys, key } = options;
  const known = keys.find(key);
  if (known.kind === "in_progress") return known;
  const held = new HeldBody(options.memory);
  try {
    if (known.kind === "done") return await replay(options, held, known.answered);
    keys.claim(key);
    const request = new KeyedRequest(options);
    try {
      return await request.run(held);
    } finally {
      if (!request.isLogged) keys.release(key);
    }
  } finally {
    held.release();
  }
}

async function replay(options: KeyedOptions, held: HeldBody, known: KeyedAnswer): Promise<KeyedOutcome> {
  const hash = requestHash(options);
  const unread = await readBody(options, held, (chunk) => hash.update(chunk));
  if (unread !== undefined) return unread;
  if (hash.digest("hex") !== known.bodyHash) return { kind: "other_request" };
  const { status, answer } = known;
  return { kind: "answered", status, answer, replayed: true };
}

/** A key stands for one body to one table. */
function requestHash({ writer }: KeyedOptions) {
  return createHash("sha256").update(`${writer.table.name}\n`);
}

class KeyedRequest {
  /** The rows were given to the log: from there on nobody can take them back. */
  isLogged = false;
  readonly #options: KeyedOptions;
  readonly #rows: RequestRows;
  readonly #refused: { readonly raw: string | Buffer; readonly error: RowError }[] = [];

  constructor(options: KeyedOptions) {
    const { writer, normaliser, maxLineBytes } = options;
    this.#options = options;
    this.#rows = new RequestRows(writer.table, normaliser, maxLineBytes);
  }

  async run(held: HeldBody): Promise<KeyedOutcome> {
    const { writer, group, key, signal } = this.#options;
    const hash = requestHash(this.#options);
    const unread = await readBody(this.#options, held, (chunk) => hash.update(chunk));
    if (unread !== undefined) return unread;
    await this.#gather(held);
    const full = { kind: "full", message: `${writer.table.name} is at its limit` } as const;
    if (signal.aborted) return { kind: "not_stored", taken: 0, message: "not read before the deadline" };
    // Looked at before the refused rows are kept: a sender that tries again and again must not pile them up.
    if (writer.full) return full;
    await Promise.all(this.#refused.map(({ raw, error }) => writer.rejected(raw, error)));
    const answer = JSON.stringify(this.#rows.told(group.rows));
    const end = { key, bodyHash: hash.digest("hex"), status: OK, answer, at: Date.now() };
    const synced = group.end(end);
    if (synced === undefined) return full;
    this.isLogged = true;
    return await this.#answered(synced, end);
  }

  /** Reads all rows, and puts those that fit into the group. */
  async #gather(held: HeldBody): Promise<void> {
    const { group, signal } = this.#options;
    for await (const records of this.#rows.records(held.chunks)) {
      if (signal.aborted) return;
      for (const record of records) {
        try {
          const row = this.#rows.rowOf(record);
          group.append(row);
          this.#rows.taken(row);
        } catch (error) {
          this.#rows.rejections.add(record.line, asRowError(error));
          this.#refused.push({ raw: record.raw, error: asRowError(error) });
        }
      }
    }
  }

  async #answered(synced: Promise<number>, end: KeyedAnswer): Promise<KeyedOutcome> {
    const { keys, group, signal } = this.#options;
    let failure = "not on disk before the deadline; send it again with the same key";
    let isSafe = false;
    // Whoever asked may be gone by then; the key is answered all the same.
    const settled = synced.then(
      (ordinal) => {
        keys.finish(ordinal, end);
        isSafe = true;
      },
      (error: Error) => {
        failure = error.message;
      },
    );
    await unlessAborted(settled, signal);
    if (!isSafe) return { kind: "not_stored", taken: group.rows, message: failure };
    crashPoint("http.before_answer");
    return { kind: "answered", status: end.status, answer: end.answer, replayed: false };
  }
}
