import type { Clock } from "../base/clock.js";
import { KIB } from "../base/units.js";
import type { BuilderPool } from "../buffer/builder-pool.js";
import type { EventWindow } from "../buffer/event-window.js";
import type { Origin } from "../buffer/origin.js";
import type { Partition } from "../buffer/partition.js";
import { type Gathering, RowRouter } from "../buffer/row-router.js";
import { type Identity, Stamp } from "../buffer/stamp.js";
import type { BlockBuilder, Row } from "../native/block.js";
import type { Table } from "../schemas/table.js";
import { type FrameFates, FrameTicket } from "./frame-ticket.js";
import type { RowsRecord } from "./records.js";

/** Rows of one partition that go into one frame. */
export class OpenFrame implements Gathering {
  readonly builder: BlockBuilder;
  readonly ticket: FrameTicket;
  /** Monotonic milliseconds when its first row was taken. */
  readonly openedAt: number;
  partition: Partition;
  /** Encoded bytes at the last look. */
  bytes = 0;
  nextLook = 1;

  constructor(builder: BlockBuilder, partition: Partition, ticket: FrameTicket, openedAt: number) {
    this.builder = builder;
    this.partition = partition;
    this.ticket = ticket;
    this.openedAt = openedAt;
  }
}

/** A frame that is ready for the log. */
export interface CutFrame {
  readonly record: RowsRecord;
  readonly ticket: FrameTicket;
  /** Monotonic milliseconds when its first row was taken. */
  readonly openedAt: number;
}

export interface FrameBuilderOptions {
  readonly table: Table;
  readonly identity: Identity;
  readonly window: EventWindow;
  readonly pool: BuilderPool;
  readonly clock: Clock;
  readonly fates: FrameFates;
  /** Rows of the largest frame: a batch is made of whole frames. */
  readonly mostRows: () => number;
  /** Called with each change of {@link FrameBuilder.bytes}. */
  readonly onBytes: (delta: number) => void;
}

/** Encoded bytes that close a frame. */
export const MOST_BYTES: number = 1024 * KIB;
const NO_GROUP = 0n;
/** Partitions that have a frame open; one more, and all are cut. */
const OPEN_MAX = 64;
/** The bytes of a frame are looked at after so many rows. */
export const LOOK_ROWS = 64;

/** Gathers the rows of one table into frames, one for each partition, and numbers them when they are cut. */
export class FrameBuilder {
  readonly #options: FrameBuilderOptions;
  readonly #stamp: Stamp;
  readonly #router: RowRouter<OpenFrame>;
  #cut: CutFrame[] = [];
  #nextSeq = 1;
  #rows = 0;
  #openBytes = 0;
  #cutBytes = 0;
  #oldestAt: number | undefined;

  /** @throws ColdpathError TYPE_UNSUPPORTED for a column that cannot be written. */
  constructor(options: FrameBuilderOptions) {
    this.#options = options;
    const { table, identity, window, pool } = options;
    this.#stamp = new Stamp(identity, table);
    this.#router = new RowRouter({ table, window, pool, begin: this.#begin.bind(this) });
  }

  /** Rows taken and not handed over by {@link cut}. */
  get rows(): number {
    return this.#rows;
  }

  /** Their encoded bytes, as of the last look. */
  get bytes(): number {
    return this.#openBytes + this.#cutBytes;
  }

  /** Monotonic milliseconds when the oldest of them was taken. */
  get oldestAt(): number | undefined {
    return this.#oldestAt;
  }

  /** The number that the next frame begins with. */
  get nextSeq(): number {
    return this.#nextSeq;
  }

  /** @throws ValueError; nothing has changed then. */
  append(row: Row, origin: Origin | undefined, skipped = 0): OpenFrame {
    // The number follows when the frame is cut, so that numbers are contiguous within a frame.
    const frame = this.#router.append(row, this.#stamp.of(row, origin, 0, skipped));
    this.#rows += 1;
    this.#oldestAt ??= frame.openedAt;
    if (frame.builder.rows >= frame.nextLook) this.#look(frame);
    return frame;
  }

  /** Frames that were gathered apart, as one group behind all rows that have a number. */
  addGroup(frames: readonly OpenFrame[], group: bigint): void {
    for (const frame of frames) {
      this.#rows += frame.builder.rows;
      this.#oldestAt ??= frame.openedAt;
      this.#number(frame, group);
    }
  }

  /** All rows taken so far, as frames in the order of their numbers. */
  cut(): readonly CutFrame[] {
    this.#closeAll();
    const cut = this.#cut;
    this.#options.onBytes(-this.#cutBytes);
    this.#cut = [];
    this.#cutBytes = 0;
    this.#rows = 0;
    this.#oldestAt = undefined;
    return cut;
  }

  #begin(partition: Partition, builder: BlockBuilder): OpenFrame {
    if (this.#router.size >= OPEN_MAX) this.#closeAll();
    const { fates, clock } = this.#options;
    return new OpenFrame(builder, partition, new FrameTicket(fates), clock.monotonic());
  }

  #look(frame: OpenFrame): void {
    const { builder } = frame;
    const mostRows = this.#options.mostRows();
    const bytes = builder.bytes;
    this.#openBytes += bytes - frame.bytes;
    this.#options.onBytes(bytes - frame.bytes);
    frame.bytes = bytes;
    frame.nextLook = Math.min(builder.rows + LOOK_ROWS, mostRows);
    if (builder.rows >= mostRows || bytes >= MOST_BYTES) this.#close(frame);
  }

  #closeAll(): void {
    for (const frame of [...this.#router.open]) this.#close(frame);
  }

  #close(frame: OpenFrame): void {
    this.#router.close(frame);
    this.#number(frame, NO_GROUP);
  }

  #number(frame: OpenFrame, group: bigint): void {
    const { table, identity, pool, onBytes } = this.#options;
    const { builder, partition, ticket, openedAt } = frame;
    const firstSeq = this.#nextSeq;
    const count = builder.rows;
    this.#nextSeq += count;
    builder.number("seq", 0, firstSeq);
    const payload = builder.encode();
    pool.give(builder);
    this.#openBytes -= frame.bytes;
    this.#cutBytes += payload.length;
    onBytes(payload.length - frame.bytes);
    ticket.cut({ firstSeq, count });
    const { run } = identity;
    const rows = { table: table.name, partition: partition.key, run, firstSeq, count };
    const record: RowsRecord = { kind: "rows", ...rows, positions: [], group, payload };
    this.#cut.push({ record, ticket, openedAt });
  }
}
