import { mixChunks } from "./city-hash-chunks.js";

/**
 * CityHash128 of version 1.0.2, by which ClickHouse checks its compressed blocks; later versions of CityHash differ.
 * Written in 64-bit integers but for the part that every byte of a block goes through (`city-hash-chunks.ts`).
 */

const K0 = 0xc3a5c85c97cb3127n;
const K1 = 0xb492b66fbe98f273n;
const K2 = 0x9ae16a3b2f90404fn;
const K3 = 0xc949d7c7509e6557n;
const K_MUL = 0x9ddfea08eb382d69n;

/** Bytes that one turn of the main loop takes. */
const CHUNK = 128;

/** Hash of `bytes` in the 16 bytes that stand before a block: both halves little-endian, the low one first. */
export function cityHash128(bytes: Buffer): Buffer {
  const [low, high] = hash(bytes);
  const hashed = Buffer.allocUnsafe(16);
  hashed.writeBigUInt64LE(low, 0);
  hashed.writeBigUInt64LE(high, 8);
  return hashed;
}

type Pair = readonly [bigint, bigint];

function u64(value: bigint): bigint {
  return BigInt.asUintN(64, value);
}

function rotate(value: bigint, bits: number): bigint {
  return bits === 0 ? value : u64((value >> BigInt(bits)) | (value << BigInt(64 - bits)));
}

function shiftMix(value: bigint): bigint {
  return value ^ (value >> 47n);
}

/** The hash of two words. */
function hash16(u: bigint, v: bigint): bigint {
  const a = shiftMix(u64((u ^ v) * K_MUL));
  const b = shiftMix(u64((v ^ a) * K_MUL));
  return u64(b * K_MUL);
}

function hash0to16(bytes: Buffer): bigint {
  const { length } = bytes;
  if (length > 8) {
    const a = bytes.readBigUInt64LE(0);
    const b = bytes.readBigUInt64LE(length - 8);
    return hash16(a, rotate(u64(b + BigInt(length)), length)) ^ b;
  }
  if (length >= 4) {
    const a = BigInt(bytes.readUInt32LE(0));
    return hash16(BigInt(length) + (a << 3n), BigInt(bytes.readUInt32LE(length - 4)));
  }
  if (length === 0) return K2;
  const y = BigInt(bytes[0]! + (bytes[length >> 1]! << 8));
  const z = BigInt(length + (bytes[length - 1]! << 2));
  return u64(shiftMix(u64(y * K2) ^ u64(z * K3)) * K2);
}

function hash(bytes: Buffer): Pair {
  const { length } = bytes;
  if (length >= 16) {
    return hashSeeded(bytes.subarray(16), bytes.readBigUInt64LE(0) ^ K3, bytes.readBigUInt64LE(8));
  }
  if (length >= 8) {
    const first = bytes.readBigUInt64LE(0) ^ u64(BigInt(length) * K0);
    return hashSeeded(Buffer.alloc(0), first, bytes.readBigUInt64LE(length - 8) ^ K1);
  }
  return hashSeeded(bytes, K0, K1);
}

function hashSeeded(bytes: Buffer, low: bigint, high: bigint): Pair {
  return bytes.length < CHUNK ? hashShort(bytes, low, high) : hashLong(bytes, low, high);
}

function hashShort(bytes: Buffer, low: bigint, high: bigint): Pair {
  const { length } = bytes;
  let [a, b, c, d] = [low, high, 0n, 0n];
  if (length <= 16) {
    a = u64(shiftMix(u64(a * K1)) * K1);
    c = u64(b * K1 + hash0to16(bytes));
    d = shiftMix(u64(a + (length >= 8 ? bytes.readBigUInt64LE(0) : c)));
  } else {
    c = hash16(u64(bytes.readBigUInt64LE(length - 8) + K1), a);
    d = hash16(u64(b + BigInt(length)), u64(c + bytes.readBigUInt64LE(length - 16)));
    a = u64(a + d);
    // The last turn starts before the last 16 bytes, so that they are the ones above.
    for (let at = 0; at < length - 16; at += 16) {
      a = u64((a ^ u64(shiftMix(u64(bytes.readBigUInt64LE(at) * K1)) * K1)) * K1);
      b ^= a;
      c = u64((c ^ u64(shiftMix(u64(bytes.readBigUInt64LE(at + 8) * K1)) * K1)) * K1);
      d ^= c;
    }
  }
  a = hash16(a, c);
  b = hash16(d, b);
  return [a ^ b, hash16(b, a)];
}

/** Mixes 32 bytes into a pair of words. */
function weakHash(bytes: Buffer, at: number, [first, second]: Pair): Pair {
  const last = bytes.readBigUInt64LE(at + 24);
  const a = u64(first + bytes.readBigUInt64LE(at));
  const b = rotate(u64(second + a + last), 21);
  const sum = u64(a + bytes.readBigUInt64LE(at + 8) + bytes.readBigUInt64LE(at + 16));
  return [u64(sum + last), u64(b + rotate(sum, 44) + a)];
}

function hashLong(bytes: Buffer, low: bigint, high: bigint): Pair {
  const z = u64(BigInt(bytes.length) * K1);
  const v0 = u64(rotate(high ^ K1, 49) * K1 + bytes.readBigUInt64LE(0));
  const v1 = u64(rotate(v0, 42) * K1 + bytes.readBigUInt64LE(8));
  const w0 = u64(rotate(u64(high + z), 35) * K1 + low);
  const w1 = u64(rotate(u64(low + bytes.readBigUInt64LE(88)), 53) * K1);
  const state = BigUint64Array.of(low, high, z, v0, v1, w0, w1);
  const mixed = bytes.length - (bytes.length % CHUNK);
  mixChunks(bytes, mixed, state);
  return finish(bytes, bytes.length - mixed, state);
}

/** The rest, in steps of 32 bytes from the end, which may reach into what is mixed already. */
function finish(bytes: Buffer, rest: number, state: BigUint64Array): Pair {
  let [x, y, z, v0, v1, w0, w1] = [...state] as [bigint, bigint, bigint, bigint, bigint, bigint, bigint];
  y = u64(y + rotate(w0, 37) * K0 + z);
  x = u64(x + rotate(u64(v0 + z), 49) * K0);
  for (let done = 0; done < rest; ) {
    done += 32;
    const at = bytes.length - done;
    y = u64(rotate(u64(y - x), 42) * K0 + v1);
    w0 = u64(w0 + bytes.readBigUInt64LE(at + 16));
    x = u64(rotate(x, 49) * K0 + w0);
    w0 = u64(w0 + v0);
    [v0, v1] = weakHash(bytes, at, [v0, v1]);
  }
  x = hash16(x, v0);
  y = hash16(y, w0);
  return [u64(hash16(u64(x + v1), w1) + y), hash16(u64(x + w1), u64(y + v1))];
}
