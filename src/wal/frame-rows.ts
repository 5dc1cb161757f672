import { BlockBuilder, type BlockColumn, type Row } from "../native/block.js";
import { columnsOf, sameColumns } from "../native/block-header.js";

/** Shows the rows of frames; frames of one table mostly have the columns of the one before. */
export class FrameRows {
  #columns: readonly BlockColumn[] = [];
  #builder = new BlockBuilder([]);

  /** @throws ColdpathError BLOCK_DAMAGED, TYPE_UNSUPPORTED */
  of(payload: Uint8Array): readonly Row[] {
    const columns = columnsOf(payload);
    if (!sameColumns(columns, this.#columns)) {
      this.#builder = new BlockBuilder(columns);
      this.#columns = columns;
    }
    this.#builder.clear();
    const rows = this.#builder.appendBlock(payload);
    return Array.from({ length: rows }, (_, row) => this.#builder.rowAt(row));
  }
}
