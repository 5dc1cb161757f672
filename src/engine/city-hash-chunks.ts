/**
 * The main loop of CityHash128. JavaScript has no fast 64-bit integers, so each word here is two 32-bit ones in a
 * `Uint32Array`, low half first, and a register is the index of its low half.
 */

const X = 0;
const Y = 2;
const Z = 4;
const V0 = 6;
const V1 = 8;
const W0 = 10;
const W1 = 12;
const STATE = 14;
/** Scratch. */
const A = 14;
const B = 16;
const SUM = 18;

const K1_LOW = 0xbe98f273;
const K1_HIGH = 0xb492b66f;

/**
 * Mixes bytes into the state.
 *
 * @param bytes the first `length` of them are mixed
 * @param length a multiple of 128
 * @param state x, y, z, v (two words) and w (two words), as the description of CityHash names them
 */
export function mixChunks(bytes: Buffer, length: number, state: BigUint64Array): void {
  const halves = new Int32Array(state.buffer, state.byteOffset, STATE);
  const r = new Int32Array(20);
  r.set(halves);
  const view = new DataView(bytes.buffer, bytes.byteOffset, length);
  for (let at = 0; at < length; at += 64) mix(view, at, r);
  halves.set(r.subarray(0, STATE));
}

function mix(view: DataView, at: number, r: Int32Array): void {
  // x = rotate(x + y + v0 + word(16), 37) * k1
  add(r, X, Y);
  add(r, X, V0);
  addWord(r, X, view, at + 16);
  rotateOver32(r, X, 37 - 32);
  multiplyByK1(r, X);
  // y = rotate(y + v1 + word(48), 42) * k1
  add(r, Y, V1);
  addWord(r, Y, view, at + 48);
  rotateOver32(r, Y, 42 - 32);
  multiplyByK1(r, Y);
  xor(r, X, W1);
  xor(r, Y, V0);
  // z = rotate(z ^ w0, 33)
  xor(r, Z, W0);
  rotateOver32(r, Z, 33 - 32);
  // v = weakHash(0, v1 * k1, x + w0)
  multiplyByK1(r, V1);
  copy(r, V0, V1);
  copy(r, V1, X);
  add(r, V1, W0);
  weakHash(r, V0, V1, view, at);
  // w = weakHash(32, z + w1, y)
  copy(r, W0, Z);
  add(r, W0, W1);
  copy(r, W1, Y);
  weakHash(r, W0, W1, view, at + 32);
  const [low, high] = [r[Z]!, r[Z + 1]!];
  copy(r, Z, X);
  r[X] = low;
  r[X + 1] = high;
}

/** Mixes 32 bytes into the pair of words `first` and `second`. */
function weakHash(r: Int32Array, first: number, second: number, view: DataView, at: number): void {
  addWord(r, first, view, at);
  copy(r, A, first);
  copy(r, B, second);
  add(r, B, A);
  addWord(r, B, view, at + 24);
  rotate(r, B, 21);
  copy(r, SUM, A);
  addWord(r, SUM, view, at + 8);
  addWord(r, SUM, view, at + 16);
  copy(r, first, SUM);
  addWord(r, first, view, at + 24);
  rotateOver32(r, SUM, 44 - 32);
  add(r, B, SUM);
  add(r, B, A);
  copy(r, second, B);
}

function copy(r: Int32Array, to: number, from: number): void {
  r[to] = r[from]!;
  r[to + 1] = r[from + 1]!;
}

function xor(r: Int32Array, to: number, from: number): void {
  r[to] = r[to]! ^ r[from]!;
  r[to + 1] = r[to + 1]! ^ r[from + 1]!;
}

function add(r: Int32Array, to: number, from: number): void {
  addHalves(r, to, r[from]!, r[from + 1]!);
}

/** Adds the eight bytes at `at`. */
function addWord(r: Int32Array, to: number, view: DataView, at: number): void {
  addHalves(r, to, view.getInt32(at, true), view.getInt32(at + 4, true));
}

function addHalves(r: Int32Array, to: number, low: number, high: number): void {
  const sum = (r[to]! + low) | 0;
  const carry = sum >>> 0 < low >>> 0 ? 1 : 0;
  r[to] = sum;
  r[to + 1] = (r[to + 1]! + high + carry) | 0;
}

/** Rotates to the right by `bits`, 1 to 31. */
function rotate(r: Int32Array, to: number, bits: number): void {
  const [low, high] = [r[to]!, r[to + 1]!];
  r[to] = (low >>> bits) | (high << (32 - bits));
  r[to + 1] = (high >>> bits) | (low << (32 - bits));
}

/** Rotates to the right by 32 and `bits`, 1 to 31. */
function rotateOver32(r: Int32Array, to: number, bits: number): void {
  const [low, high] = [r[to]!, r[to + 1]!];
  r[to] = (high >>> bits) | (low << (32 - bits));
  r[to + 1] = (low >>> bits) | (high << (32 - bits));
}

/** Keeps the low 64 bits of the product. */
function multiplyByK1(r: Int32Array, to: number): void {
  const low = r[to]!;
  const high = (Math.imul(low, K1_HIGH) + Math.imul(r[to + 1]!, K1_LOW)) | 0;
  r[to] = Math.imul(low, K1_LOW);
  r[to + 1] = (high + highHalfTimesK1Low(low)) | 0;
}

/** Upper 32 bits of the 64-bit product of a word's low half and that of K1, in products of 16 bits. */
function highHalfTimesK1Low(value: number): number {
  const [low, high] = [value & 0xffff, value >>> 16];
  const [kLow, kHigh] = [K1_LOW & 0xffff, K1_LOW >>> 16];
  const lowLow = Math.imul(low, kLow) >>> 0;
  // Below 2^33: a double holds it.
  const middle = Math.imul(high, kLow) >>> 0;
  const other = (Math.imul(low, kHigh) >>> 0) + (middle & 0xffff) + (lowLow >>> 16);
  return (Math.imul(high, kHigh) + (middle >>> 16) + Math.floor(other / 0x10000)) | 0;
}
