import { appendOffsets, encodeOffsets } from "./array.js";
import type { BlockReader } from "./block-reader.js";
import type { ByteBuffer } from "./byte-buffer.js";
import { ColumnWriter } from "./column-writer.js";
import { EndOffsets } from "./end-offsets.js";
import { isPlainObject } from "./plain-object.js";
import { refuseAt, refuseKind } from "./refusal.js";
import { preview } from "./value-error.js";

/** Characters of a key that a refusal shows. */
const KEY_PREVIEW = 40;

/** Map(K, V): as Array of pairs: offsets, then all keys as a column of K, then all values as a column of V. */
export class MapWriter extends ColumnWriter {
  readonly #ends = new EndOffsets();
  readonly #keys: ColumnWriter;
  readonly #values: ColumnWriter;

  constructor(keys: ColumnWriter, values: ColumnWriter) {
    super(8, false);
    this.#keys = keys;
    this.#values = values;
  }

  override get length(): number {
    return this.#ends.length;
  }

  override get extraBytes(): number {
    return this.#keys.bytes + this.#values.bytes;
  }

  override append(value: unknown): void {
    for (const [key, inner] of entriesOf(value)) {
      try {
        this.#keys.append(key);
        this.#values.append(inner);
      } catch (error) {
        refuseAt(`key ${preview(key, KEY_PREVIEW)}`, error);
      }
    }
    this.#ends.push(this.#keys.length);
  }

  override appendDefault(): void {
    this.#ends.push(this.#keys.length);
  }

  override truncate(length: number): void {
    this.#ends.truncate(length);
    const pairs = this.#ends.start(length);
    this.#keys.truncate(pairs);
    this.#values.truncate(pairs);
  }

  override valueAt(index: number): ReadonlyMap<unknown, unknown> {
    const start = this.#ends.start(index);
    const size = this.#ends.start(index + 1) - start;
    return new Map(
      Array.from({ length: size }, (_, at) => [
        this.#keys.valueAt(start + at),
        this.#values.valueAt(start + at),
      ]),
    );
  }

  override encodePrefix(out: ByteBuffer): void {
    this.#keys.encodePrefix(out);
    this.#values.encodePrefix(out);
  }

  override encode(out: ByteBuffer, from: number, to: number): void {
    encodeOffsets(out, this.#ends, from, to);
    const first = this.#ends.start(from);
    const end = this.#ends.start(to);
    this.#keys.encode(out, first, end);
    this.#values.encode(out, first, end);
  }

  override readPrefix(input: BlockReader): void {
    this.#keys.readPrefix(input);
    this.#values.readPrefix(input);
  }

  override appendEncoded(input: BlockReader, rows: number): void {
    const pairs = appendOffsets(this.#ends, input, rows);
    this.#keys.appendEncoded(input, pairs);
    this.#values.appendEncoded(input, pairs);
  }
}

function entriesOf(value: unknown): Iterable<[unknown, unknown]> {
  if (value instanceof Map) return value;
  if (!isPlainObject(value)) refuseKind(value, "an object or a Map");
  return Object.entries(value);
}
