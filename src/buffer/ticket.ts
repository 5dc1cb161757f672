/** What became of a row that was taken, and of those that it shares the ticket with. */
export interface Ticket {
  /**
   * Resolves once the row is in the log and synced; in a table without a log at once, as there is no more to wait for before
   * {@link stored}. Rejects if the log cannot take it before the recorder closes. Nobody has to listen.
   */
  readonly durable: Promise<void>;
  /**
   * Resolves once every row of the batch is in ClickHouse; rejects with BATCH_FAILED if some were dropped or went to
   * the dead letters, with DEADLINE if the recorder closed first. Nobody has to listen.
   */
  readonly stored: Promise<void>;
}

const ACCEPTED: Promise<void> = Promise.resolve();

/** The batch's side of a {@link Ticket}: a promise is made only if somebody asks for one. */
export class BatchTicket implements Ticket {
  readonly durable: Promise<void> = ACCEPTED;
  #settled = false;
  #failure: Error | undefined;
  #promise: Promise<void> | undefined;
  #resolve: () => void = () => {};
  #reject: (failure: Error) => void = () => {};

  get stored(): Promise<void> {
    this.#promise ??= this.#make();
    return this.#promise;
  }

  /** Says what became of the batch; once. */
  settle(failure?: Error): void {
    this.#settled = true;
    this.#failure = failure;
    if (failure === undefined) this.#resolve();
    else this.#reject(failure);
  }

  #make(): Promise<void> {
    const promise = new Promise<void>((resolve, reject) => {
      if (!this.#settled) {
        this.#resolve = resolve;
        this.#reject = reject;
      } else if (this.#failure === undefined) resolve();
      else reject(this.#failure);
    });
    // A caller may keep the ticket and never look; that must not end the process.
    promise.catch(() => {});
    return promise;
  }
}
