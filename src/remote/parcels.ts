import { setTimeout as sleep } from "node:timers/promises";
import { ColdpathError } from "../base/errors.js";
import { MIB, SECOND_MS } from "../base/units.js";
import { BatchTicket, type Ticket } from "../buffer/ticket.js";

/** What a service answered. */
export interface PostAnswer {
  readonly status: number;
  readonly json: unknown;
}

/** Sends a request to the service. @throws ColdpathError SERVICE_ABSENT, SERVICE_ANSWER if no answer comes */
export type Post = (path: string, body: string | undefined, signal: AbortSignal) => Promise<PostAnswer>;

export interface ParcelsOptions {
  readonly table: string;
  readonly post: Post;
  /** Bytes of the largest body that the service takes. */
  readonly maxBody: number;
}

/** One parcel waits for the service's own batch, so some are under way at once. */
const UNDER_WAY = 4;
const ROWS_MAX = 10_000;
const BYTES_MAX: number = 4 * MIB;
/** Until a service that takes no rows now is asked again. */
const RETRY_MS: number = SECOND_MS;
const FLUSH_SECONDS = 30;

interface Parcel {
  readonly lines: string[];
  bytes: number;
  readonly ticket: BatchTicket;
}

/**
 * Lines on their way to `POST /v1/ingest/TABLE`. A parcel that the service has not taken is sent again; one of which nobody knows what became
 * is not: its ticket fails, and whoever wants to know asks ClickHouse.
 */
export class Parcels {
  readonly #options: ParcelsOptions;
  readonly #closing = new AbortController();
  #open: Parcel = newParcel();
  readonly #underWay = new Set<Promise<void>>();
  /** Those that the service has. */
  #taken: Parcel[] = [];
  /** Why nothing more can be sent. */
  #failure: Error | undefined;

  constructor(options: ParcelsOptions) {
    this.#options = options;
  }

  /** Whether it is to be waited for {@link room}. */
  get full(): boolean {
    return this.#failure === undefined && this.#underWay.size >= UNDER_WAY;
  }

  /** Resolves once some parcel is through. */
  async room(): Promise<void> {
    await Promise.race(this.#underWay);
  }

  /** @throws ColdpathError SERVICE_ABSENT, SERVICE_ANSWER if nothing more can be sent */
  add(line: string): Ticket {
    if (this.#failure !== undefined) throw this.#failure;
    const bytes = Buffer.byteLength(line) + 1;
    const { maxBody } = this.#options;
    if (this.#open.bytes + bytes > Math.min(BYTES_MAX, maxBody)) this.#sendOpen();
    const { lines, ticket } = this.#open;
    lines.push(line);
    this.#open.bytes += bytes;
    if (lines.length >= ROWS_MAX) this.#sendOpen();
    return ticket;
  }

  /** Resolves when the fate is known of all that was added, and of all else that the service has of the table. */
  async flush(): Promise<void> {
    this.#sendOpen();
    await Promise.all(this.#underWay);
    const taken = this.#taken;
    this.#taken = [];
    const { table, post } = this.#options;
    const path = `/api/flush?${new URLSearchParams({ table, wait: String(FLUSH_SECONDS) })}`;
    for (let isDone = false; !isDone; ) {
      if (this.#failure !== undefined) throw this.#failure;
      const { status, json } = await post(path, undefined, this.#closing.signal);
      if (status !== 200) throw refusal(status, json);
      isDone = (json as { done: boolean }).done;
    }
    for (const { ticket } of taken) ticket.settle();
  }

  /** Gives up what is under way. */
  close(): void {
    this.#closing.abort();
  }

  #sendOpen(): void {
    const parcel = this.#open;
    if (parcel.lines.length === 0) return;
    this.#open = newParcel();
    const sent = this.#send(parcel)
      .then(
        () => this.#taken.push(parcel),
        (error: Error) => parcel.ticket.settle(error),
      )
      .then(() => void this.#underWay.delete(sent));
    this.#underWay.add(sent);
  }

  /** Resolves when the service has the rows: on its disk, or in ClickHouse. @throws if that is not known */
  async #send({ lines }: Parcel): Promise<void> {
    const path = `/v1/ingest/${encodeURIComponent(this.#options.table)}?history=true`;
    const body = lines.join("\n");
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure;
      const answer = await this.#post(path, body);
      const { status } = answer;
      const json = answer.json as { rejected?: number; taken?: number };
      if (status === 200 && json.rejected === 0) return;
      if (status === 200) throw refused(json);
      const error = refusal(status, json);
      if (status !== 503) this.#failure = error;
      if (status !== 503 || json.taken !== undefined) throw error;
      await sleep(RETRY_MS, undefined, { signal: this.#closing.signal });
    }
  }

  async #post(path: string, body: string): Promise<PostAnswer> {
    try {
      return await this.#options.post(path, body, this.#closing.signal);
    } catch (error) {
      this.#failure ??= error as Error;
      throw error;
    }
  }
}

function newParcel(): Parcel {
  return { lines: [], bytes: 0, ticket: new BatchTicket() };
}

/** The service does not take a row that was fine here: it was started with another configuration. */
function refused(answer: object): ColdpathError {
  const { rejected, errors } = answer as {
    rejected: number;
    errors: readonly { readonly column: string | null; readonly reason: string }[];
  };
  const [first] = errors;
  const reason =
    first === undefined ? "" : `: ${first.column === null ? "" : `${first.column} `}${first.reason}`;
  return new ColdpathError("SERVICE_ANSWER", `the service refused ${rejected} of them${reason}`);
}

function refusal(status: number, json: unknown): ColdpathError {
  const { error } = json as { error?: { message?: string } };
  return new ColdpathError(
    "SERVICE_ANSWER",
    `the service answered ${status}: ${error?.message ?? "no reason"}`,
  );
}
