import { setImmediate as turn } from "node:timers/promises";
import { ms } from "../native/instant-number.js";
import type { Table } from "../schemas/table.js";
import { LineError } from "./line-error.js";
import { LineSplitter } from "./lines.js";
import type { RowMaker } from "./mapping/compile.js";
import { NdjsonReader } from "./ndjson.js";
import { AS_GIVEN, type Normaliser } from "./normalise/normaliser.js";
import type { GivenRow, TableNormaliser } from "./normalise/table-normaliser.js";
import { plainRows } from "./plain-rows.js";
import type { ReadRecord } from "./record-reader.js";
import { Rejections } from "./rejections.js";

/** One refused row of a request, as the answer tells it. */
interface RefusedLine {
  readonly line: number;
  readonly column: string | null;
  readonly reason: string;
}

/** What a request is told of its rows. */
export interface Told {
  readonly accepted: number;
  readonly rejected: number;
  /** The first refused rows. */
  readonly errors: readonly RefusedLine[];
}

const SHOWN_MAX = 100;

/** Reads the NDJSON of one request as rows of its table. */
export class RequestRows {
  readonly rejections: Rejections = new Rejections(SHOWN_MAX);
  readonly #arrivedAt = ms(Date.now());
  readonly #rows: RowMaker;
  readonly #normaliser: TableNormaliser;
  readonly #maxLineBytes: number;

  constructor(table: Table, normaliser: Normaliser | undefined, maxLineBytes: number) {
    this.#normaliser = normaliser?.of(table.name) ?? AS_GIVEN;
    // A request has no identity of its own; its rows may bring theirs.
    this.#rows = plainRows(table, ["source", "source_seq", ...this.#normaliser.keys]);
    this.#maxLineBytes = maxLineBytes;
  }

  /** The records of the body, some at a time. One large body must not hold up everything else. */
  async *records(body: Iterable<Buffer>): AsyncGenerator<readonly ReadRecord[]> {
    const reader = new NdjsonReader();
    const lines = new LineSplitter(this.#maxLineBytes);
    for (const chunk of body) {
      yield reader.read(lines.push(chunk));
      await turn();
    }
    yield reader.read(lines.end());
  }

  /** @throws ValueError, LineError */
  rowOf({ value }: ReadRecord): GivenRow {
    if (value instanceof LineError) throw value;
    const row = this.#rows(value) as GivenRow;
    this.#normaliser.normalise(row, this.#arrivedAt);
    return row;
  }

  /** The row was taken: rows after it may build on it. */
  taken(row: GivenRow): void {
    this.#normaliser.taken(row);
  }

  told(accepted: number): Told {
    const { rows: rejected, first } = this.rejections;
    const errors = first.map(({ line, column, reason }) => ({ line, column: column ?? null, reason }));
    return { accepted, rejected, errors };
  }
}
