import type { EventWindow } from "../buffer/event-window.js";
import type { Origin } from "../buffer/origin.js";
import { type Partitioner, partitionerOf } from "../buffer/partition.js";
import { Stamp, sentColumns } from "../buffer/stamp.js";
import { LineError } from "../intake/line-error.js";
import type { RowMaker } from "../intake/mapping/compile.js";
import { NdjsonReader } from "../intake/ndjson.js";
import type { GivenRow, TableNormaliser } from "../intake/normalise/table-normaliser.js";
import { plainRows } from "../intake/plain-rows.js";
import { BlockBuilder, type BlockColumn } from "../native/block.js";
import { columnsOf } from "../native/block-header.js";
import { ms } from "../native/instant-number.js";
import type { Table } from "../schemas/table.js";
import { type DeadLetter, LEFT_OUT } from "../sink/dead-letter.js";

/** A letter as the row that it is in ClickHouse. */
export interface LetterRow {
  readonly id: string;
  /** With `run` and `seq` the row's identity: whenever the letter is tried, the same. */
  readonly recorder: string;
  readonly run: bigint;
  readonly seq: bigint;
  readonly origin: Origin | undefined;
  /** One Native block with this row, and its columns. */
  readonly block: Uint8Array;
  readonly columns: readonly BlockColumn[];
}

/** Why a letter cannot be made a row; the message is for people. */
export class LetterError extends Error {}

export interface LetterRowsOptions {
  readonly table: Table;
  readonly env: string;
  readonly window: EventWindow;
  /** For rows that producers gave, as they are read over HTTP. */
  readonly normaliser: TableNormaliser;
}

/** Rows that ClickHouse refused have a number. The others get one that follows from the letter: its id as run, and seq 1. */
const FIRST_SEQ = 1;

/** Makes rows of the letters of one table. */
export class LetterRows {
  readonly #options: LetterRowsOptions;
  readonly #builder: BlockBuilder;
  readonly #columns: readonly BlockColumn[];
  readonly #partitioner: Partitioner;
  /** For rows of files, and for rows of producers. */
  readonly #ofFile: RowMaker;
  readonly #ofProducer: RowMaker;
  readonly #names: ReadonlySet<string>;

  constructor(options: LetterRowsOptions) {
    const { table, window, normaliser } = options;
    this.#options = options;
    this.#columns = sentColumns(table);
    this.#builder = new BlockBuilder(this.#columns);
    this.#partitioner = partitionerOf(table, window);
    this.#ofFile = plainRows(table);
    this.#ofProducer = plainRows(table, ["source", "source_seq", ...normaliser.keys]);
    this.#names = new Set(this.#columns.map(({ name }) => name));
  }

  /** @throws LetterError, ValueError or LineError if the row would be refused again. */
  rowOf(letter: DeadLetter): LetterRow {
    if (letter.cut_from !== undefined) {
      throw new LetterError(`only the first part of its ${letter.cut_from} bytes was kept`);
    }
    switch (letter.encoding) {
      case "native":
        return this.#numbered(letter);
      case "text":
        return this.#encoded(letter);
      case "base64":
        throw new LetterError("its bytes are not text");
    }
  }

  #numbered(letter: DeadLetter): LetterRow {
    if (letter.code === LEFT_OUT)
      throw new LetterError("its row is stored; it keeps what a column held that was dropped");
    const block = Buffer.from(letter.bytes, "base64");
    const columns = columnsOf(block);
    const gone = columns.find(({ name }) => !this.#names.has(name));
    if (gone !== undefined)
      throw new LetterError(`${this.#options.table.name} has no column ${gone.name} now`);
    const { id, recorder } = letter;
    const identity = { recorder, run: BigInt(letter.run), seq: BigInt(letter.seq!) };
    return { id, ...identity, origin: originOf(letter), block, columns };
  }

  #encoded(letter: DeadLetter): LetterRow {
    const { table, env, normaliser } = this.#options;
    const origin = originOf(letter);
    const [record] = new NdjsonReader().read([letter.bytes]);
    if (record === undefined || record.value instanceof LineError) {
      const again = origin === undefined ? "" : `; coldpath ingest takes it from ${origin.source} again`;
      throw new LetterError(`its bytes are no JSON object${again}`);
    }
    const row = (origin === undefined ? this.#ofProducer : this.#ofFile)(record.value) as GivenRow;
    if (origin === undefined) normaliser.normalise(row, ms(Date.parse(letter.time)));
    const { id, recorder } = letter;
    const run = BigInt(`0x${id}`);
    const builder = this.#builder;
    builder.clear();
    builder.append(row, new Stamp({ env, recorder, run }, table).of(row, origin, FIRST_SEQ, 0));
    // Throws for a time outside the window.
    this.#partitioner.of(builder, 0);
    const block = Buffer.from(builder.encode());
    return { id, recorder, run, seq: BigInt(FIRST_SEQ), origin, block, columns: this.#columns };
  }
}

function originOf({ source, source_seq }: DeadLetter): Origin | undefined {
  return source === null || source_seq === null ? undefined : { source, seq: BigInt(source_seq) };
}
