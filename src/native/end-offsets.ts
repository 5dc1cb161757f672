import assert from "node:assert";
import { Cells } from "./cells.js";

const MAX_OFFSET = 0xffff_ffff;

/** Where each value of a variable-size column ends: the value `index` lies in [start(index), start(index + 1)). */
export class EndOffsets {
  readonly #cells = new Cells(4);

  get length(): number {
    return this.#cells.length;
  }

  push(end: number): void {
    assert(end <= MAX_OFFSET, "a column of one block is limited to 4 GiB");
    this.#cells.push32(end);
  }

  truncate(length: number): void {
    this.#cells.length = length;
  }

  /** Where the value `index` starts, which is where the one before ends. */
  start(index: number): number {
    return index === 0 ? 0 : this.#cells.i32[index - 1]! >>> 0;
  }
}
