import { messageOf } from "../base/errors.js";
import type { Ticket } from "../recorder.js";

/** Rows of one batch. */
interface Share {
  rows: number;
  /** Settles when their fate is known. */
  readonly end: Promise<void>;
}

/** Follows rows that were taken to their end, batch by batch. */
export class Fates {
  readonly #endOf: (ticket: Ticket) => Promise<void>;
  readonly #open = new Map<Ticket, Share>();
  #lastTicket: Ticket | undefined;
  #lastShare: Share = { rows: 0, end: Promise.resolve() };
  #taken = 0;
  #stored = 0;
  #failure: string | undefined;

  /** `endOf`: how far rows are followed. Default: until they are in ClickHouse. */
  constructor(endOf: (ticket: Ticket) => Promise<void> = (ticket) => ticket.stored) {
    this.#endOf = endOf;
  }

  /** Rows taken. */
  get taken(): number {
    return this.#taken;
  }

  /** Rows of batches that are stored whole; of a batch that is not, nobody says here which of its rows are. */
  get stored(): number {
    return this.#stored;
  }

  /** Why the first batch that is not stored whole is not. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /** A row was taken. */
  add(ticket: Ticket): void {
    if (ticket !== this.#lastTicket) {
      this.#lastTicket = ticket;
      this.#lastShare = this.#open.get(ticket) ?? this.#follow(ticket);
    }
    this.#lastShare.rows += 1;
    this.#taken += 1;
  }

  /** Resolves when the fate of every row taken so far is known. */
  async settled(): Promise<void> {
    await Promise.allSettled([...this.#open.values()].map(({ end }) => end));
  }

  #follow(ticket: Ticket): Share {
    const share = { rows: 0, end: this.#endOf(ticket) };
    this.#open.set(ticket, share);
    const close = (): void => {
      this.#open.delete(ticket);
      if (this.#lastTicket === ticket) this.#lastTicket = undefined;
    };
    share.end.then(
      () => {
        this.#stored += share.rows;
        close();
      },
      (error: unknown) => {
        this.#failure ??= messageOf(error);
        close();
      },
    );
    return share;
  }
}
