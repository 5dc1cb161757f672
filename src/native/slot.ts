import { ColdpathError, messageOf } from "../base/errors.js";
import type { BlockColumn } from "./block-column.js";
import { ByteBuffer } from "./byte-buffer.js";
import type { ColumnWriter } from "./column-writer.js";
import { createWriter } from "./create-writer.js";
import { Refusal } from "./refusal.js";

/** A column with all that is decided once. */
export interface Slot {
  readonly name: string;
  readonly stamped: boolean;
  /** What a missing key stands for; undefined if the column is required. */
  readonly absent: unknown;
  readonly writer: ColumnWriter;
  /** Name and type as the block wants them before the values. */
  readonly header: Uint8Array;
}

/** @throws ColdpathError TYPE_UNSUPPORTED for a type that is not written, or a DEFAULT the type does not take. */
export function createSlot(column: BlockColumn): Slot {
  const { name, type, required, defaultText, stamped = false } = column;
  const writer = writerOf(name, type);
  const header = new ByteBuffer();
  header.text(name);
  header.text(type);
  const absent = required ? undefined : defaultText === undefined ? null : defaultOf(type, defaultText);
  if (absent !== undefined) checkAbsent(name, writer, absent);
  return { name, stamped, absent, writer, header: header.data.subarray(0, header.length) };
}

function writerOf(name: string, type: string): ColumnWriter {
  try {
    return createWriter(type);
  } catch (error) {
    throw new ColdpathError("TYPE_UNSUPPORTED", `column ${name}: ${messageOf(error)}`, { cause: error });
  }
}

/** The value a DEFAULT stands for: of what has parts the text is JSON, all else its writer reads as text. */
function defaultOf(type: string, text: string): unknown {
  if (!/^(?:Array|Map|Tuple|Nested)\(/.test(type)) return text;
  try {
    return JSON.parse(text);
  } catch {
    // Refused below as any text is that stands where a list should.
    return text;
  }
}

/** A DEFAULT that its own column does not take is found here, not at the first row that wants it. */
function checkAbsent(name: string, writer: ColumnWriter, absent: unknown): void {
  try {
    writer.append(absent);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const value = absent === null ? "without a DEFAULT, null" : `the DEFAULT ${String(absent)}`;
    throw new ColdpathError("TYPE_UNSUPPORTED", `column ${name}: ${value} ${error.reason}`);
  }
  writer.truncate(0);
}
