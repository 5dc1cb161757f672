import assert from "node:assert";
import { FixedWriter } from "./fixed-writer.js";
import { NumberText } from "./number-text.js";
import { Refusal, refuseKind } from "./refusal.js";
import { readExact, ScaledText } from "./scaled-text.js";
import { loadBigint, storeBigint, storeNumber, storeSum } from "./words.js";

/**
 * Integers: a JS number must be a safe integer, a bigint or text is exact; text may be any spelling of a whole number
 * (`5`, `5.0`, `5e3`).
 */

/** Int8 … UInt32. */
export class SmallIntegerWriter extends FixedWriter {
  readonly #type: string;
  readonly #min: number;
  readonly #max: number;
  readonly #text = new ScaledText();

  constructor(bits: number, signed: boolean) {
    super(bits >> 3);
    this.#type = typeName(bits, signed);
    this.#min = signed ? -(2 ** (bits - 1)) : 0;
    this.#max = 2 ** (signed ? bits - 1 : bits) - 1;
  }

  override append(value: unknown): void {
    const integer = typeof value === "number" ? value : this.#integerOf(value);
    if (Math.trunc(integer) !== integer) throw new Refusal("is not a whole number", value);
    if (integer < this.#min || integer > this.#max)
      throw new Refusal(`is out of range for ${this.#type}`, value);
    if (this.width === 1) this.cells.push8(integer);
    else if (this.width === 2) this.cells.push16(integer);
    else this.cells.push32(integer);
  }

  #integerOf(value: unknown): number {
    if (typeof value === "bigint") return Number(value);
    const text = value instanceof NumberText ? value.text : value;
    if (typeof text !== "string") refuseKind(value, "an integer");
    if (!this.#text.read(text, 0)) return Number(readExact(text, 0));
    return this.#text.toNumber();
  }

  override valueAt(index: number): number {
    return this.keyAt(index);
  }

  override keyAt(index: number): number {
    const unused = 32 - this.width * 8;
    const stored =
      this.width === 1
        ? this.cells.u8[index]!
        : this.width === 2
          ? this.cells.u16[index]!
          : this.cells.i32[index]!;
    return this.#min < 0 ? (stored << unused) >> unused : stored >>> 0;
  }

  override textAt(index: number): string {
    return String(this.keyAt(index));
  }
}

/** Int64 … UInt256. */
export class WideIntegerWriter extends FixedWriter {
  readonly #type: string;
  readonly #words: number;
  readonly #min: bigint;
  readonly #max: bigint;
  readonly #text = new ScaledText();

  constructor(bits: number, signed: boolean) {
    super(bits >> 3);
    this.#type = typeName(bits, signed);
    this.#words = bits >> 5;
    this.#max = 2n ** BigInt(signed ? bits - 1 : bits) - 1n;
    this.#min = signed ? -this.#max - 1n : 0n;
  }

  override append(value: unknown): void {
    if (typeof value === "number") this.#appendNumber(value);
    else if (typeof value === "bigint") this.#appendBigint(value, value);
    else if (typeof value === "string") this.#appendText(value);
    else if (value instanceof NumberText) this.#appendText(value.text);
    else refuseKind(value, "an integer");
  }

  #appendNumber(value: number): void {
    if (Math.trunc(value) !== value) throw new Refusal("is not a whole number", value);
    if (Math.abs(value) > Number.MAX_SAFE_INTEGER) {
      throw new Refusal("is beyond 2^53, where numbers are not exact: give a bigint or text", value);
    }
    if (value < 0 && this.#min === 0n) this.#refuseRange(value);
    const at = this.cells.next() * this.#words;
    storeNumber(this.cells.i32, at, this.#words, value);
  }

  #appendText(text: string): void {
    const read = this.#text;
    if (!read.read(text, 0)) {
      this.#appendBigint(readExact(text, 0), text);
      return;
    }
    if (read.high < 0 && this.#min === 0n) this.#refuseRange(text);
    const at = this.cells.next() * this.#words;
    storeSum(this.cells.i32, at, this.#words, read.high, read.power, read.low);
  }

  #appendBigint(integer: bigint, value: unknown): void {
    if (integer < this.#min || integer > this.#max) this.#refuseRange(value);
    const index = this.cells.next();
    if (this.#words === 2) this.cells.i64[index] = integer;
    else storeBigint(this.cells.i32, index * this.#words, this.#words, integer);
  }

  #refuseRange(value: unknown): never {
    throw new Refusal(`is out of range for ${this.#type}`, value);
  }

  override number(index: number, first: number): void {
    assert(this.#words === 2 && this.#min === 0n, "not a UInt64 column");
    for (let at = index; at < this.length; at += 1)
      storeNumber(this.cells.i32, at * 2, 2, first + at - index);
  }

  override textAt(index: number): string {
    return loadBigint(this.cells.i32, index * this.#words, this.#words, this.#min < 0n).toString();
  }
}

function typeName(bits: number, signed: boolean): string {
  return `${signed ? "Int" : "UInt"}${bits}`;
}
