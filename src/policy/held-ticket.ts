import type { Ticket } from "../buffer/ticket.js";

/** The ticket of a row that a policy holds: it follows the batch that the row goes into, if it does. */
export class HeldTicket implements Ticket {
  #followed: Promise<Ticket> | undefined;
  #ticket: Ticket | undefined;
  #found: (ticket: Ticket) => void = () => {};

  get durable(): Promise<void> {
    return this.#when((ticket) => ticket.durable);
  }

  get stored(): Promise<void> {
    return this.#when((ticket) => ticket.stored);
  }

  #when(of: (ticket: Ticket) => Promise<void>): Promise<void> {
    if (this.#ticket !== undefined) return of(this.#ticket);
    this.#followed ??= new Promise((resolve) => {
      this.#found = resolve;
    });
    const reached = this.#followed.then(of);
    // A caller may keep the ticket and never look; that must not end the process.
    reached.catch(() => {});
    return reached;
  }

  /** The row's fate is that of this ticket. */
  follow(ticket: Ticket): void {
    this.#ticket = ticket;
    this.#found(ticket);
  }
}
