const INITIAL_CELLS = 64;

/**
 * Values of one width side by side, seen through typed arrays. A class of its own, not a base of the writers, so that
 * the compiler sees one shape here whatever the type of the column.
 */
export class Cells {
  readonly width: number;
  length = 0;
  u8: Uint8Array;
  u16: Uint16Array;
  i32: Int32Array;
  f32: Float32Array;
  f64: Float64Array;
  i64: BigInt64Array;
  #capacity = INITIAL_CELLS;

  constructor(width: number) {
    this.width = width;
    const buffer = new ArrayBuffer(INITIAL_CELLS * width);
    this.u8 = new Uint8Array(buffer);
    this.u16 = new Uint16Array(buffer);
    this.i32 = new Int32Array(buffer);
    this.f32 = new Float32Array(buffer);
    this.f64 = new Float64Array(buffer);
    this.i64 = new BigInt64Array(buffer);
  }

  /** Makes room for one more cell and gives its index; what it holds is undefined. */
  next(): number {
    if (this.length === this.#capacity) this.#double();
    return this.length++;
  }

  /** Adds the cells that lie in `bytes`, whole ones. */
  pushAll(bytes: Uint8Array): void {
    const start = this.length * this.width;
    this.length += bytes.length / this.width;
    while (this.length > this.#capacity) this.#double();
    this.u8.set(bytes, start);
  }

  #double(): void {
    this.#capacity *= 2;
    const buffer = new ArrayBuffer(this.#capacity * this.width);
    const before = this.u8;
    this.u8 = new Uint8Array(buffer);
    this.u16 = new Uint16Array(buffer);
    this.i32 = new Int32Array(buffer);
    this.f32 = new Float32Array(buffer);
    this.f64 = new Float64Array(buffer);
    this.i64 = new BigInt64Array(buffer);
    this.u8.set(before);
  }

  /** Adds a cell of one byte. */
  push8(value: number): void {
    const index = this.next();
    this.u8[index] = value;
  }

  /** Adds a cell of two bytes. */
  push16(value: number): void {
    const index = this.next();
    this.u16[index] = value;
  }

  /** Adds a cell of four bytes; values from 2^31 to 2^32 wrap to the same bits. */
  push32(value: number): void {
    const index = this.next();
    this.i32[index] = value | 0;
  }

  /** Adds a cell of zero bytes. */
  zero(): void {
    const index = this.next();
    const { width } = this;
    if (width >= 4) {
      const words = width >> 2;
      for (let word = 0; word < words; word += 1) this.i32[index * words + word] = 0;
    } else {
      for (let byte = 0; byte < width; byte += 1) this.u8[index * width + byte] = 0;
    }
  }
}
