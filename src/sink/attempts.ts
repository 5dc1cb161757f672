import { type ServerLife, sameLife } from "../clickhouse/client.js";

/** One INSERT that may have stored the batch, or may still. */
export interface Attempt {
  /** As ClickHouse knows it: its log comment. */
  readonly name: string;
  readonly life: ServerLife;
  /** Monotonic milliseconds. */
  readonly sentAt: number;
}

/** Not a time at which any ClickHouse was started. */
const UNKNOWN_LIFE = { host: "", startedAt: 0 };

/** The attempts of one batch whose outcome is in doubt, oldest first. */
export class Attempts {
  #all: Attempt[] = [];
  /** Stand for what earlier starts may have sent, one for each endpoint. */
  readonly #earlier = new Set<Attempt>();

  /** From here on the attempt is in doubt. */
  begin(attempt: Attempt): void {
    this.#all.push(attempt);
  }

  /** Its outcome is known. */
  end(attempt: Attempt): void {
    this.#all = this.#all.filter((each) => each !== attempt);
  }

  /** An earlier start may have sent the batch, to any endpoint. */
  addEarlier(endpoints: readonly string[]): void {
    for (const endpoint of endpoints) {
      const attempt = { name: "", life: { endpoint, ...UNKNOWN_LIFE }, sentAt: -Infinity };
      this.#all.push(attempt);
      this.#earlier.add(attempt);
    }
  }

  get none(): boolean {
    return this.#all.length === 0;
  }

  /** When the oldest was sent, monotonic milliseconds. */
  get oldestAt(): number | undefined {
    return this.#all[0]?.sentAt;
  }

  /** The names of those that we sent ourselves. */
  get names(): string[] {
    return this.#all.filter((each) => !this.#earlier.has(each)).map(({ name }) => name);
  }

  get hasEarlier(): boolean {
    return this.#all.some((each) => this.#earlier.has(each));
  }

  /** Whether all were sent to that life of ClickHouse. */
  sentIn(life: ServerLife): boolean {
    return this.#all.every((each) => sameLife(each.life, life));
  }

  /** The address of a server other than the one used, where one may still run. */
  looseFrom(used: string): string | undefined {
    return this.#all.find(({ life }) => life.endpoint !== used)?.life.endpoint;
  }

  /**
   * Those on fenced endpoints were told to end and none is seen any more. From here on they count as one attempt sent now: should one have
   * slipped through the fence, the token still holds in this life, and in another one the rows are asked for again.
   */
  fenced(endpoints: ReadonlySet<string>, life: ServerLife, now: number): void {
    const latest = this.#all.findLast((each) => endpoints.has(each.life.endpoint));
    if (latest === undefined) return;
    this.#all = this.#all.filter((each) => !endpoints.has(each.life.endpoint));
    const rest = { name: latest.name, life, sentAt: now };
    this.#all.push(rest);
    if (this.#earlier.has(latest)) this.#earlier.add(rest);
  }
}
