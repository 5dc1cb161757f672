import type { Clock } from "../base/clock.js";
import type { Admission } from "../buffer/admission.js";
import type { Origin } from "../buffer/origin.js";
import { BatchTicket, type Ticket } from "../buffer/ticket.js";
import type { Row } from "../native/block.js";
import { HeldTicket } from "./held-ticket.js";
import { Policy, type PolicyGap, type PolicyRules } from "./policy.js";
import type { PolicyShape } from "./shape.js";

interface Held {
  readonly origin: Origin | undefined;
  readonly ticket: HeldTicket;
}

export interface ThinnedTableOptions {
  readonly shape: PolicyShape;
  readonly rules: PolicyRules;
  readonly clock: Clock;
  readonly admission: Admission;
  /** A row that was held turned out not to fit its table. */
  readonly onRefused: (row: Row, error: unknown, origin: Origin | undefined) => void;
  readonly onGap: (gap: PolicyGap) => void;
}

/** Rows that were left out are settled. */
const SETTLED = new BatchTicket();
SETTLED.settle();

/** The way into a table's buffer that leads through a policy. */
export class ThinnedTable {
  readonly #admission: Admission;
  readonly #policy: Policy<Held>;
  /** Rows left out because they repeat what was said, and because others stand for them. */
  deduplicated = 0;
  sampled = 0;

  constructor({ shape, rules, clock, admission, onRefused, onGap }: ThinnedTableOptions) {
    this.#admission = admission;
    this.#policy = new Policy({
      shape,
      rules,
      clock,
      onGap,
      emit: (row, { origin, ticket }, skipped) => {
        try {
          ticket.follow(admission.release(row, origin, skipped));
        } catch (error) {
          ticket.follow(SETTLED);
          onRefused(row, error, origin);
        }
      },
      replaced: ({ ticket }) => {
        this.sampled += 1;
        ticket.follow(SETTLED);
      },
    });
  }

  /** Rows that wait for their interval to end. */
  get held(): number {
    return this.#policy.held;
  }

  /** @throws ValueError; the row is not counted then. */
  offer(row: Row, origin: Origin | undefined): Ticket | undefined {
    const policy = this.#policy;
    const verdict = policy.judge(row);
    if (verdict === "keep") {
      const ticket = this.#admission.offer(row, origin, policy.skippedBefore);
      if (ticket !== undefined) policy.kept(row);
      return ticket;
    }
    this.#admission.accept();
    if (verdict === "deduplicated") {
      this.deduplicated += 1;
      return SETTLED;
    }
    const ticket = new HeldTicket();
    policy.hold(row, { origin, ticket });
    return ticket;
  }

  change(rules: PolicyRules, shape: PolicyShape): void {
    this.#policy.change(rules, shape);
  }

  /** Lets go of all rows that wait. */
  release(): void {
    this.#policy.release();
  }

  close(): void {
    this.#policy.close();
  }
}
