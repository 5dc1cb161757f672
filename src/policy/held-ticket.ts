import type { Ticket } from "../buffer/ticket.js";

/** The ticket of a row that a policy holds: it follows the batch that the row goes into, if it does. */
export class HeldTicket implements Ticket {
  #followed: Promise<Ticket> | undefined;
  #ticket: Ticket | undefined;
  #found: (ticket: Ticket) => void = () => {};

  get stored(): Promise<void> {
    if (this.#ticket !== undefined) return this.#ticket.stored;
    this.#followed ??= new Promise((resolve) => {
      this.#found = resolve;
    });
    const stored = this.#followed.then((ticket) => ticket.stored);
    // A caller may keep the ticket and never look; that must not end the process.
    stored.catch(() => {});
    return stored;
  }

  /** The row's fate is that of this ticket. */
  follow(ticket: Ticket): void {
    this.#ticket = ticket;
    this.#found(ticket);
  }
}
