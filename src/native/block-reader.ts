import { ColdpathError } from "../base/errors.js";

/** Reads the bytes of one Native block from front to back and never past their end. */
export class BlockReader {
  readonly data: Buffer;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.data = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Bytes not read yet. */
  get left(): number {
    return this.data.length - this.#at;
  }

  /** Steps over `count` bytes and gives the place of the first; asked for in advance, a false count costs no memory. */
  skip(count: number): number {
    const at = this.#at;
    if (count > this.data.length - at) this.fail("ends too early");
    this.#at = at + count;
    return at;
  }

  /** The next bytes, not copied. */
  bytes(count: number): Buffer {
    const at = this.skip(count);
    return this.data.subarray(at, at + count);
  }

  /** True, and steps over them, if the next bytes are these. */
  takes(expected: Uint8Array): boolean {
    const { length } = expected;
    const end = this.#at + length;
    if (end > this.data.length) return false;
    // Headers are short: a loop beats the calls that compare two buffers.
    for (let index = 0; index < length; index += 1) {
      if (this.data[this.#at + index] !== expected[index]) return false;
    }
    this.#at = end;
    return true;
  }

  /** Unsigned LEB128 below 2^32. */
  varint(): number {
    let value = 0;
    for (let scale = 1; scale <= 2 ** 28; scale *= 2 ** 7) {
      const byte = this.data[this.skip(1)]!;
      value += (byte & 0x7f) * scale;
      if (byte <= 0x7f) {
        if (value >= 2 ** 32) break;
        return value;
      }
    }
    return this.fail("has a length beyond 4 GiB");
  }

  /** Eight bytes that hold a number below 2^32: no count or offset of a block is larger. */
  count(): number {
    return this.countAt(this.skip(8));
  }

  /** {@link count} of bytes that were stepped over. */
  countAt(at: number): number {
    if (this.data.readUInt32LE(at + 4) !== 0) this.fail("has a count beyond 2^32");
    return this.data.readUInt32LE(at);
  }

  /** Length as varint, then that many bytes. */
  sizedBytes(): Buffer {
    return this.bytes(this.varint());
  }

  /** @throws ColdpathError BLOCK_DAMAGED, with the place. */
  fail(reason: string): never {
    throw new ColdpathError(
      "BLOCK_DAMAGED",
      `a Native block of ${this.data.length} bytes ${reason}, at byte ${this.#at}`,
    );
  }
}
