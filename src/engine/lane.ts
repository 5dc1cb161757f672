import { refusal } from "./exception.js";

/**
 * A few equal places in which statements of one kind run, and a bounded queue before them. Each kind has its own, so
 * that reads go on beside inserts and a KILL gets through when everything else is busy.
 */
export class Lane<Place> {
  readonly #free: Place[];
  readonly #waiting: ((place: Place) => void)[] = [];
  readonly #waitingMax: number;

  constructor(places: readonly Place[], waitingMax: number) {
    this.#free = [...places];
    this.#waitingMax = waitingMax;
  }

  /** Runs `work` in a place; see {@link enter} for the wait. */
  async run<T>(signal: AbortSignal, work: (place: Place) => Promise<T>): Promise<T> {
    const { place, leave } = await this.enter(signal);
    try {
      return await work(place);
    } finally {
      leave();
    }
  }

  /**
   * Waits for a place. A signal that aborts before then takes the caller out of the queue: the promise rejects with the
   * signal's reason and nothing was started.
   */
  async enter(signal: AbortSignal): Promise<Occupied<Place>> {
    signal.throwIfAborted();
    const place = this.#free.length > 0 ? this.#free.pop()! : await this.#wait(signal);
    return { place, leave: () => this.#pass(place) };
  }

  #pass(place: Place): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free.push(place);
    else next(place);
  }

  #wait(signal: AbortSignal): Promise<Place> {
    if (this.#waiting.length >= this.#waitingMax) {
      throw refusal(
        202,
        "TOO_MANY_SIMULTANEOUS_QUERIES",
        `Too many simultaneous queries. ${this.#waitingMax} wait already.`,
      );
    }
    return new Promise((resolve, reject) => {
      const take = (place: Place): void => {
        signal.removeEventListener("abort", leave);
        resolve(place);
      };
      const leave = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(take), 1);
        reject(signal.reason);
      };
      this.#waiting.push(take);
      signal.addEventListener("abort", leave, { once: true });
    });
  }
}

/** A place in use; `leave` gives it to the next, and is called once. */
export interface Occupied<Place> {
  readonly place: Place;
  readonly leave: () => void;
}
