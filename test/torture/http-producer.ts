import { setTimeout as delay } from "node:timers/promises";
import { request } from "undici";
import type { Random } from "../support/random.js";
import { Ledger } from "./ledger.js";
import { LIFE_ROWS, lineOf, type OfferedRow, offeredRow, TABLES } from "./rows.js";

const SENDERS = 4;
const ROWS_MAX = 60;
const ANSWER_MS = 5_000;

export interface ServiceAddress {
  readonly url: string;
  readonly token: string;
}

/**
 * Sends requests to a service that dies again and again. Each has an idempotency key and is sent until it is answered with 200,
 * so every row of it has to be stored once, not only at most once.
 */
export class HttpProducer {
  readonly #ledger: Ledger;
  readonly #life: number;
  readonly #random: Random;
  readonly #poisonEvery: number;
  #offered = 0;
  #requests = 0;
  #acknowledged = 0;
  #resent = 0;
  #isOver = false;
  #failure: Error | undefined;
  #address: ServiceAddress | undefined;
  readonly #senders: Promise<void>;

  /** @param life number of rows' begin, unique among all producers @param poisonEvery see {@link offeredRow} */
  constructor(ledger: string, life: number, random: Random, poisonEvery: number) {
    this.#ledger = new Ledger(ledger);
    this.#life = life;
    this.#random = random;
    this.#poisonEvery = poisonEvery;
    this.#senders = Promise.all(Array.from({ length: SENDERS }, () => this.#send())).then(() => {});
  }

  /** Where the service is now; undefined while there is none. */
  set address(address: ServiceAddress | undefined) {
    this.#address = address;
  }

  /** Rows so far. */
  get acknowledged(): number {
    return this.#acknowledged;
  }

  /** Requests that were sent more than once, over all attempts. */
  get resent(): number {
    return this.#resent;
  }

  /** Sends nothing new, and waits until all that was sent is answered. @throws for an answer that makes no sense */
  async finish(): Promise<void> {
    this.#isOver = true;
    await this.#senders;
    if (this.#failure !== undefined) throw this.#failure;
  }

  async #send(): Promise<void> {
    while (!this.#isOver && this.#offered < LIFE_ROWS - ROWS_MAX) {
      const rows = this.#nextRows();
      this.#ledger.offer(rows);
      this.#requests += 1;
      try {
        await this.#untilAnswered(rows, `${this.#life}-${this.#requests}`);
      } catch (error) {
        this.#failure ??= error as Error;
        return;
      }
      this.#ledger.acknowledge(rows[0]!.number, rows.at(-1)!.number);
      this.#acknowledged += rows.length;
      await delay(this.#random.below(20));
    }
  }

  #nextRows(): OfferedRow[] {
    const table = this.#random.of(TABLES);
    const count = 1 + this.#random.below(ROWS_MAX);
    this.#offered += count;
    return Array.from({ length: count }, (_, row) =>
      offeredRow(this.#life, this.#offered - count + row, this.#poisonEvery, table),
    );
  }

  async #untilAnswered(rows: readonly OfferedRow[], key: string): Promise<void> {
    const body = rows.map((row) => `${lineOf(row)}\n`).join("");
    for (let attempt = 0; ; attempt += 1) {
      const address = this.#address;
      if (attempt > 0) await delay(10);
      if (address === undefined) continue;
      if (attempt > 0) this.#resent += 1;
      const answer = await post(address, rows[0]!.table, key, body);
      if (answer === undefined) continue;
      if (answer.status === 200 && JSON.parse(answer.text).accepted === rows.length) return;
      // 409: the attempt before is still under way.
      if (![409, 429, 503].includes(answer.status))
        throw new Error(`request ${key} with ${rows.length} rows: ${answer.status} ${answer.text}`);
    }
  }
}

/** The answer, if there was one. */
async function post(
  { url, token }: ServiceAddress,
  table: string,
  key: string,
  body: string,
): Promise<{ readonly status: number; readonly text: string } | undefined> {
  try {
    const answer = await request(`${url}/v1/ingest/${table}`, {
      method: "POST",
      headers: {
        "content-type": "application/x-ndjson",
        authorization: `Bearer ${token}`,
        "idempotency-key": key,
      },
      body,
      headersTimeout: ANSWER_MS,
      bodyTimeout: ANSWER_MS,
    });
    return { status: answer.statusCode, text: await answer.body.text() };
  } catch {
    // Killed before it answered: nobody knows what became of the request, so it is sent again.
    return undefined;
  }
}
