import type { Row } from "../native/block.js";
import type { Admission } from "./admission.js";
import type { Origin } from "./origin.js";

/** How a request was answered that named itself by a key. */
export interface KeyedAnswer {
  /** 1 to 255 visible ASCII characters. */
  readonly key: string;
  /** SHA-256 of what was asked, 64 hexadecimal digits. */
  readonly bodyHash: string;
  readonly status: number;
  readonly answer: string;
  /** Wall clock, milliseconds. */
  readonly at: number;
}

/** Rows gathered apart from all others, to be taken together. */
export interface GatheredRows {
  readonly rows: number;
  /** @throws ValueError; nothing has changed then. */
  append(row: Row, origin?: Origin): void;
  /** Puts the rows into the log with the answer to their request, once. Resolves when all of it is on disk, with the answer's ordinal. */
  end(answer: KeyedAnswer): Promise<number>;
}

/** Rows of one request, which are taken together or not at all. No policy leaves any of them out. */
export class RowGroup {
  readonly #gathered: GatheredRows;
  readonly #admission: Admission;

  constructor(gathered: GatheredRows, admission: Admission) {
    this.#gathered = gathered;
    this.#admission = admission;
  }

  get rows(): number {
    return this.#gathered.rows;
  }

  /** @throws ValueError for a row that does not fit; nothing has changed then. */
  append(row: Row, origin?: Origin): void {
    this.#gathered.append(row, origin);
  }

  /** As {@link GatheredRows.end}; undefined if there is no room, all rows counted as refused. */
  end(answer: KeyedAnswer): Promise<number> | undefined {
    return this.#admission.admit(this.rows) ? this.#gathered.end(answer) : undefined;
  }
}
