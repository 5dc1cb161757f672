import type { Clock } from "../base/clock.js";
import type { Admission } from "../buffer/admission.js";
import type { Origin } from "../buffer/origin.js";
import { BatchTicket, type Ticket } from "../buffer/ticket.js";
import type { Gap } from "../gaps/gap.js";
import { MissingRows, nanosOf } from "../gaps/missing-rows.js";
import type { Row } from "../native/block.js";
import { HeldTicket } from "./held-ticket.js";
import { type LeftOutReason, Policy, type PolicyRules } from "./policy.js";
import type { PolicyShape } from "./shape.js";

interface Held {
  readonly origin: Origin | undefined;
  readonly ticket: HeldTicket;
}

export interface ThinnedTableOptions {
  readonly table: string;
  readonly shape: PolicyShape;
  readonly rules: PolicyRules;
  readonly clock: Clock;
  readonly admission: Admission;
  /** A row that was held turned out not to fit its table. */
  readonly onRefused: (row: Row, error: unknown, origin: Origin | undefined) => void;
  /** Rows were left out of which no kept row can tell. */
  readonly onGap: (gap: Gap) => void;
  /** Rows begin to be left out of which {@link ThinnedTable.takeGaps} tells. */
  readonly onMissing: () => void;
}

/** Rows that were left out are settled. */
const SETTLED = new BatchTicket();
SETTLED.settle();

/** The way into a table's buffer that leads through a policy. */
export class ThinnedTable {
  readonly #admission: Admission;
  readonly #policy: Policy<Held>;
  readonly #options: ThinnedTableOptions;
  /** Rows left out by the ladder since the last look, by reason. */
  readonly #missing: ReadonlyMap<LeftOutReason, MissingRows> = new Map([
    ["deduplicated", new MissingRows()],
    ["sampled", new MissingRows()],
  ]);
  #level = 0;
  #told: ReadonlySet<LeftOutReason> = new Set();
  /** Rows left out because they repeat what was said, and because others stand for them. */
  deduplicated = 0;
  sampled = 0;

  constructor(options: ThinnedTableOptions) {
    const { table, shape, rules, clock, admission, onRefused, onGap } = options;
    this.#options = options;
    this.#admission = admission;
    this.#policy = new Policy({
      shape,
      rules,
      clock,
      onGap: ({ series, rows, from, to }) =>
        onGap({
          table,
          reason: "policy",
          level: this.#level,
          rows,
          by: [[series, rows]],
          from: nanosOf(from),
          to: nanosOf(to),
        }),
      emit: (row, { origin, ticket }, skipped) => {
        try {
          ticket.follow(admission.release(row, origin, skipped));
          return true;
        } catch (error) {
          ticket.follow(SETTLED);
          onRefused(row, error, origin);
          return false;
        }
      },
      leftOut: (reason, series, micros, context) => {
        this[reason] += 1;
        context?.ticket.follow(SETTLED);
        if (this.#told.has(reason)) this.#tell(reason, series, micros);
      },
    });
  }

  /** Rows that wait for their interval to end. */
  get held(): number {
    return this.#policy.held;
  }

  /** Rows left out of which nobody has told yet. */
  get untold(): number {
    return this.#policy.untold;
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
    if (verdict === "deduplicated") return SETTLED;
    const ticket = new HeldTicket();
    policy.hold(row, { origin, ticket });
    return ticket;
  }

  change(rules: PolicyRules, shape: PolicyShape): void {
    this.#policy.change(rules, shape);
  }

  /**
   * From now on rows are left out at this level of the table's ladder; those left out for these reasons would not be at level 0.
   * Take the gaps of the level before first.
   */
  at(level: number, reasons: ReadonlySet<LeftOutReason>): void {
    this.#level = level;
    this.#told = reasons;
  }

  /** Rows that the ladder left out since the last call. */
  *takeGaps(): Generator<Gap> {
    for (const [reason, missing] of this.#missing)
      if (missing.rows > 0)
        yield { table: this.#options.table, reason, level: this.#level, ...missing.take() };
  }

  #tell(reason: LeftOutReason, series: Row, micros: number): void {
    const missing = this.#missing.get(reason)!;
    if (missing.rows === 0) this.#options.onMissing();
    missing.add(series, micros);
  }

  /** Lets go of all rows that wait. */
  release(): void {
    this.#policy.release();
  }

  close(): void {
    this.#policy.close();
  }
}
