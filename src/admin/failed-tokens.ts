import type { Clock } from "../base/clock.js";
import { MINUTE_MS, SECOND_MS } from "../base/units.js";

/** Wrong tokens from one address in a minute that are answered one by one. */
const FAILURES_MAX = 10;
/** Addresses that are remembered; of more, those that failed first are forgotten. */
const PEERS_MAX = 1000;

interface Failures {
  readonly since: number;
  count: number;
}

/** Wrong tokens by the address they came from. Who has the right one is let in whatever came from there before. */
export class FailedTokens {
  readonly #clock: Clock;
  readonly #onFirst: (peer: string) => void;
  readonly #peers = new Map<string, Failures>();

  /** @param onFirst called for the first wrong token from an address in a minute */
  constructor(clock: Clock, onFirst: (peer: string) => void) {
    this.#clock = clock;
    this.#onFirst = onFirst;
  }

  /** Counts one more; gives the seconds to wait if there were too many. */
  add(peer: string): number {
    const now = this.#clock.monotonic();
    let failures = this.#peers.get(peer);
    if (failures === undefined || now - failures.since >= MINUTE_MS) {
      failures = { since: now, count: 0 };
      this.#peers.delete(peer);
      this.#peers.set(peer, failures);
      if (this.#peers.size > PEERS_MAX) this.#peers.delete(this.#peers.keys().next().value!);
      this.#onFirst(peer);
    }
    failures.count += 1;
    return failures.count <= FAILURES_MAX ? 0 : Math.ceil((failures.since + MINUTE_MS - now) / SECOND_MS);
  }
}
