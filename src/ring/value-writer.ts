import { types } from "node:util";
import type { RingMemory } from "./memory.js";
import { TAG } from "./tags.js";

/** Lists and maps inside each other; deeper ones stand as `other`. */
const DEPTH_MAX = 8;
/** Characters of the name of a kind. */
const KIND_MAX = 64;
const MIN_INT64 = -(2n ** 63n);
const MAX_INT64 = 2n ** 63n - 1n;

/**
 * Writes any value into the cells of a ring: what the compiled writer of a table does not do itself because it is rare, long or
 * of the wrong kind. Nothing is refused here: whoever reads the row refuses it, with a reason.
 */
export class ValueWriter {
  /** Tag of the value written last. */
  tag: number = TAG.absent;
  readonly #memory: RingMemory;

  constructor(memory: RingMemory) {
    this.#memory = memory;
  }

  /**
   * Writes the payload of `value` from cell `at` on and sets {@link tag}.
   *
   * @param most elements of a list that are written; the rest is left out
   * @returns the cell behind it, or -1 if it does not fit below `end`
   */
  write(value: unknown, at: number, end: number, most: number, depth = 0): number {
    switch (typeof value) {
      case "undefined":
        return this.#bare(TAG.absent, at);
      case "boolean":
        return this.#bare(value ? TAG.true : TAG.false, at);
      case "number":
        return this.#number(value, at, end);
      case "bigint":
        return this.#bigint(value, at, end);
      case "string":
        return this.text(value, at, end);
      case "object":
        if (value === null) return this.#bare(TAG.null, at);
        return this.#object(value, at, end, most, depth);
      default:
        return this.#other(typeof value, at, end);
    }
  }

  text(text: string, at: number, end: number): number {
    const { i32, u8, u16 } = this.#memory;
    const { length } = text;
    if (at + 1 + ((length + 3) >> 2) > end) return -1;
    i32[at * 2] = length;
    const byte = (at + 1) * 8;
    let index = 0;
    while (index < length) {
      const unit = text.charCodeAt(index);
      if (unit > 0x7f) break;
      u8[byte + index] = unit;
      index += 1;
    }
    if (index === length) {
      this.tag = TAG.ascii;
      return at + 1 + ((length + 7) >> 3);
    }
    for (index = 0; index < length; index += 1) u16[(byte >> 1) + index] = text.charCodeAt(index);
    this.tag = TAG.utf16;
    return at + 1 + ((length + 3) >> 2);
  }

  #bare(tag: number, at: number): number {
    this.tag = tag;
    return at;
  }

  #number(value: number, at: number, end: number): number {
    if (at >= end) return -1;
    this.tag = TAG.number;
    this.#memory.f64[at] = value;
    return at + 1;
  }

  #bigint(value: bigint, at: number, end: number): number {
    if (value < MIN_INT64 || value > MAX_INT64) {
      const next = this.text(value.toString(), at, end);
      this.tag = TAG.wideInteger;
      return next;
    }
    if (at >= end) return -1;
    this.tag = TAG.int64;
    this.#memory.i64[at] = value;
    return at + 1;
  }

  #object(value: object, at: number, end: number, most: number, depth: number): number {
    // Not `instanceof`: what only looks like a Date throws when it is asked for its time.
    if (types.isDate(value)) {
      if (at >= end) return -1;
      this.tag = TAG.micros;
      // An invalid Date stays one: NaN.
      this.#memory.f64[at] = value.getTime() * 1000;
      return at + 1;
    }
    if (depth >= DEPTH_MAX) return this.#other("deeply nested value", at, end);
    if (Array.isArray(value)) return this.#array(value, at, end, most, depth);
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype === Object.prototype || prototype === null) return this.#map(value, at, end, depth);
    // A class may call anything its name.
    const name: unknown = value.constructor?.name;
    return this.#other(typeof name === "string" ? name : "object", at, end);
  }

  #array(list: readonly unknown[], at: number, end: number, most: number, depth: number): number {
    const { f64, i32 } = this.#memory;
    const count = Math.min(list.length, most);
    if (at >= end) return -1;
    i32[at * 2] = count;
    let index = 0;
    while (index < count && typeof list[index] === "number") index += 1;
    if (index === count) {
      if (at + 1 + count > end) return -1;
      for (index = 0; index < count; index += 1) f64[at + 1 + index] = list[index] as number;
      this.tag = TAG.numbers;
      return at + 1 + count;
    }
    let next = at + 1;
    for (index = 0; index < count && next >= 0; index += 1)
      next = this.#tagged(list[index], next, end, depth);
    this.tag = TAG.list;
    return next;
  }

  #map(map: object, at: number, end: number, depth: number): number {
    if (at >= end) return -1;
    let count = 0;
    let next = at + 1;
    for (const key in map) {
      next = this.#tagged(key, next, end, depth);
      if (next >= 0) next = this.#tagged((map as Record<string, unknown>)[key], next, end, depth);
      if (next < 0) return -1;
      count += 1;
    }
    this.#memory.i32[at * 2] = count;
    this.tag = TAG.map;
    return next;
  }

  /** A value inside another one: its tag in a cell of its own, then its payload. */
  #tagged(value: unknown, at: number, end: number, depth: number): number {
    if (at >= end) return -1;
    const next = this.write(value, at + 1, end, Infinity, depth + 1);
    this.#memory.i32[at * 2] = this.tag;
    return next;
  }

  #other(kind: string, at: number, end: number): number {
    const next = this.text(kind.replaceAll(/[^ -~]/g, "?").slice(0, KIND_MAX), at, end);
    this.tag = TAG.other;
    return next;
  }
}
