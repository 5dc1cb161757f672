import type { Ticket } from "../buffer/ticket.js";

/** What the tickets of a table need of it. */
export interface FrameFates {
  /** Somebody waits for rows to be synced: they are not kept for a fuller commit. */
  wanted(): void;
  /** Settles when the fate of the frame's rows is known, also when that was long ago. */
  storedOf(firstSeq: number, count: number): Promise<void>;
}

/** Nobody has to listen to a ticket; that must not end the process. */
function quiet(promise: Promise<void>): Promise<void> {
  promise.catch(() => {});
  return promise;
}

/** The ticket of all rows of one frame: promises are made only if somebody asks for them. */
export class FrameTicket implements Ticket {
  readonly #fates: FrameFates;
  /** Once the frame is cut. */
  #frame: { readonly firstSeq: number; readonly count: number } | undefined;
  #synced = false;
  #failure: Error | undefined;
  #durable: PromiseWithResolvers | undefined;
  #stored: PromiseWithResolvers | undefined;

  constructor(fates: FrameFates) {
    this.#fates = fates;
  }

  get durable(): Promise<void> {
    if (this.#synced) return Promise.resolve();
    if (this.#failure !== undefined) return quiet(Promise.reject(this.#failure));
    this.#durable ??= withResolvers();
    this.#fates.wanted();
    return this.#durable.promise;
  }

  get stored(): Promise<void> {
    if (this.#failure !== undefined) return quiet(Promise.reject(this.#failure));
    if (this.#frame !== undefined && this.#stored === undefined)
      return this.#fates.storedOf(this.#frame.firstSeq, this.#frame.count);
    this.#stored ??= withResolvers();
    return this.#stored.promise;
  }

  /** The rows have their numbers. */
  cut(firstSeq: number, count: number): void {
    this.#frame = { firstSeq, count };
    if (this.#stored !== undefined)
      this.#fates.storedOf(firstSeq, count).then(this.#stored.resolve, this.#stored.reject);
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
}

interface PromiseWithResolvers {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

function withResolvers(): PromiseWithResolvers {
  let resolve: () => void = () => {};
  let reject: (error: Error) => void = () => {};
  const promise = new Promise<void>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise: quiet(promise), resolve, reject };
}
