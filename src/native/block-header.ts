import type { BlockColumn } from "./block-column.js";
import { BlockReader } from "./block-reader.js";
import { createWriter } from "./create-writer.js";

/**
 * The columns of a block, enough to make a `BlockBuilder` that takes it. Nothing tells where a column ends but its values,
 * so all of them are read.
 * @throws ColdpathError BLOCK_DAMAGED for bytes that are no whole block, TYPE_UNSUPPORTED for a type that is not written.
 */
export function columnsOf(block: Uint8Array): readonly BlockColumn[] {
  const input = new BlockReader(block);
  const count = input.varint();
  const rows = input.varint();
  const columns: BlockColumn[] = [];
  for (let index = 0; index < count; index += 1) {
    const name = input.sizedBytes().toString();
    const type = input.sizedBytes().toString();
    columns.push({ name, type, required: true });
    if (rows === 0) continue;
    const writer = createWriter(type);
    writer.readPrefix(input);
    writer.appendEncoded(input, rows);
  }
  if (input.left > 0) input.fail("does not end after its columns");
  return columns;
}

/** True if blocks of both have the same names and types in the same order. */
export function sameColumns(one: readonly BlockColumn[], other: readonly BlockColumn[]): boolean {
  return (
    one.length === other.length &&
    one.every(({ name, type }, index) => name === other[index]!.name && type === other[index]!.type)
  );
}
