import type { Origin } from "../buffer/origin.js";
import type { GatheredRows, KeyedAnswer } from "../buffer/row-group.js";
import { RowRouter } from "../buffer/row-router.js";
import { Stamp } from "../buffer/stamp.js";
import type { Row } from "../native/block.js";
import { type FrameBuilderOptions, LOOK_ROWS, MOST_BYTES, OpenFrame } from "./frame-builder.js";
import { FrameTicket } from "./frame-ticket.js";

export interface GatheredGroupOptions extends FrameBuilderOptions {
  /** Puts the frames into the log with the answer; see {@link GatheredRows.end}. */
  readonly onEnd: (frames: readonly OpenFrame[], rows: number, answer: KeyedAnswer) => Promise<number>;
}

/** Rows of one table as frames of their own, which have no number until they are put in. */
export class GatheredGroup implements GatheredRows {
  readonly #options: GatheredGroupOptions;
  readonly #stamp: Stamp;
  readonly #router: RowRouter<OpenFrame>;
  readonly #full: OpenFrame[] = [];
  #rows = 0;

  constructor(options: GatheredGroupOptions) {
    this.#options = options;
    const { table, identity, window, pool, fates, clock } = options;
    this.#stamp = new Stamp(identity, table);
    this.#router = new RowRouter({
      table,
      window,
      pool,
      begin: (partition, builder) =>
        new OpenFrame(builder, partition, new FrameTicket(fates), clock.monotonic()),
    });
  }

  get rows(): number {
    return this.#rows;
  }

  /** @throws ValueError; nothing has changed then. */
  append(row: Row, origin?: Origin): void {
    const frame = this.#router.append(row, this.#stamp.of(row, origin, 0, 0));
    this.#rows += 1;
    const { builder } = frame;
    if (builder.rows < frame.nextLook) return;
    const mostRows = this.#options.mostRows();
    frame.nextLook = Math.min(builder.rows + LOOK_ROWS, mostRows);
    if (builder.rows < mostRows && builder.bytes < MOST_BYTES) return;
    this.#router.close(frame);
    this.#full.push(frame);
  }

  end(answer: KeyedAnswer): Promise<number> {
    return this.#options.onEnd([...this.#full, ...this.#router.open], this.#rows, answer);
  }
}
