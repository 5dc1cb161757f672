import { FixedWriter } from "./fixed-writer.js";
import { NumberText } from "./number-text.js";
import { Refusal, refuseKind } from "./refusal.js";

/** Bool: one byte, 0 or 1, from true, false, 0, 1 or their text. */
export class BoolWriter extends FixedWriter {
  constructor() {
    super(1);
  }

  override append(value: unknown): void {
    const bool = typeof value === "boolean" ? value : boolOf(value);
    this.cells.push8(bool ? 1 : 0);
  }

  override valueAt(index: number): boolean {
    return this.cells.u8[index] === 1;
  }

  override textAt(index: number): string {
    return this.cells.u8[index] === 1 ? "true" : "false";
  }
}

function boolOf(value: unknown): boolean {
  const text = value instanceof NumberText ? value.text : value;
  if (text === 1 || text === 1n || text === "1" || text === "true") return true;
  if (text === 0 || text === 0n || text === "0" || text === "false") return false;
  if (value === null || value === undefined) refuseKind(value, "a Bool");
  throw new Refusal("is not true, false, 1 or 0", value);
}
