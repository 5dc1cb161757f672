import { ColdpathError } from "../base/errors.js";
import { BlockBuilder } from "../native/block.js";
import { columnsOf } from "../native/block-header.js";
import { rowText } from "../native/row-text.js";
import type { DeadLetter } from "../sink/dead-letter.js";

/** The row of a letter for people: as it was read, or decoded to one line of JSON. Undefined for bytes that are no text. */
export function letterText({ encoding, bytes }: DeadLetter): string | undefined {
  switch (encoding) {
    case "text":
      return bytes;
    case "native":
      return decoded(Buffer.from(bytes, "base64"));
    case "base64":
      return undefined;
  }
}

function decoded(block: Uint8Array): string | undefined {
  try {
    const builder = new BlockBuilder(columnsOf(block));
    builder.appendBlock(block);
    return rowText(builder.rowAt(0));
  } catch (error) {
    if (error instanceof ColdpathError) return undefined;
    throw error;
  }
}
