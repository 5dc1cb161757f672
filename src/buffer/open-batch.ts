import type { BlockBuilder } from "../native/block.js";
import type { Partition } from "./partition.js";
import type { Taken } from "./row-buffer.js";
import type { Gathering } from "./row-router.js";
import { BatchTicket } from "./ticket.js";

/** Rows of one partition that still grow, until the sink takes them or they are as large as a batch may be. */
export class OpenBatch implements Gathering, Taken {
  readonly number: number;
  readonly builder: BlockBuilder;
  readonly ticket: BatchTicket = new BatchTicket();
  /** Monotonic milliseconds when its first row was taken. */
  readonly openedAt: number;
  partition: Partition;
  /** Offered to the sink; it may still grow until taken. */
  due = false;
  /** Only rows that go last are left in it. */
  isSifted = false;
  /** Where its rows are that stayed when the others were dropped. */
  rest: OpenBatch | undefined;
  /** The sink has it. */
  isSending = false;
  /** Bytes at the last look, and the row count that calls for the next: `bytes` is too dear to read for every row. */
  bytes = 0;
  nextLook = 1;

  constructor(number: number, builder: BlockBuilder, partition: Partition, openedAt: number) {
    this.number = number;
    this.builder = builder;
    this.partition = partition;
    this.openedAt = openedAt;
  }

  get rows(): number {
    return this.builder.rows;
  }
}
