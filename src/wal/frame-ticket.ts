import { type Deferred, deferred } from "../base/deferred.js";
import type { SeqSpan } from "../buffer/batch.js";
import type { Ticket } from "../buffer/ticket.js";

/** What the tickets of a table need of it. */
export interface FrameFates {
  /** Somebody waits for rows to be synced: they are not kept for a fuller commit. */
  wanted(): void;
  /** Settles when the fate of the frame's rows is known, also when that was long ago. */
  storedOf(frame: SeqSpan): Promise<void>;
}

/** The ticket of all rows of one frame: promises are made only if somebody asks for them. */
export class FrameTicket implements Ticket {
  readonly #fates: FrameFates;
  /** Once the frame is cut. */
  #frame: SeqSpan | undefined;
  #synced = false;
  #failure: Error | undefined;
  #durable: Deferred | undefined;
  #stored: Deferred | undefined;

  constructor(fates: FrameFates) {
    this.#fates = fates;
  }

  get durable(): Promise<void> {
    if (this.#synced) return Promise.resolve();
    this.#durable ??= this.#deferred();
    this.#fates.wanted();
    return this.#durable.promise;
  }

  get stored(): Promise<void> {
    if (this.#frame !== undefined && this.#failure === undefined && this.#stored === undefined)
      return quiet(this.#fates.storedOf(this.#frame));
    this.#stored ??= this.#deferred();
    return this.#stored.promise;
  }

  /** The rows have their numbers. */
  cut(frame: SeqSpan): void {
    this.#frame = frame;
    if (this.#stored !== undefined)
      this.#fates.storedOf(frame).then(this.#stored.resolve, this.#stored.reject);
  }

  synced(): void {
    this.#synced = true;
    this.#durable?.resolve();
  }

  /** The log never took the rows. */
  failed(error: Error): void {
    this.#failure = error;
    this.#durable?.reject(error);
    this.#stored?.reject(error);
  }

  #deferred(): Deferred {
    const made = deferred();
    if (this.#failure !== undefined) made.reject(this.#failure);
    return made;
  }
}

/** Nobody has to listen to a ticket; that must not end the process. */
function quiet(promise: Promise<void>): Promise<void> {
  promise.catch(() => {});
  return promise;
}
