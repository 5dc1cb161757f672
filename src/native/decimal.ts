import { FixedWriter } from "./fixed-writer.js";
import { NumberText } from "./number-text.js";
import { Refusal, refuseKind } from "./refusal.js";
import { roundScaled } from "./round-scaled.js";
import { readExact, ScaledText } from "./scaled-text.js";
import { loadBigint, POWERS_OF_TEN, SURELY_INT64, storeBigint, storeSum } from "./words.js";

/** Fractions times ten to this are below 2^50, so what a double leaves open is far less than half a unit. */
const FAST_SCALE = 15;

/**
 * Decimal(P, S): the value times 10^S as a signed integer of 4, 8, 16 or 32 bytes.
 *
 * Text and bigint (whole units) are exact or refused. A number stands for the exact value of the double and is rounded
 * to the nearest multiple of 10^-S, ties to even.
 */
export class DecimalWriter extends FixedWriter {
  readonly #precision: number;
  readonly #scale: number;
  readonly #words: number;
  /** 10^S: one, scaled. */
  readonly #unit: bigint;
  /** 10^P: magnitudes from here on are out of range. */
  readonly #limit: bigint;
  /** Numbers of a magnitude below this are in range and in 63 bits for certain. */
  readonly #sureNumber: number;
  readonly #text = new ScaledText();

  constructor(precision: number, scale: number) {
    super(precision <= 9 ? 4 : precision <= 18 ? 8 : precision <= 38 ? 16 : 32);
    this.#precision = precision;
    this.#scale = scale;
    this.#words = this.width >> 2;
    this.#unit = 10n ** BigInt(scale);
    this.#limit = 10n ** BigInt(precision);
    this.#sureNumber = scale > FAST_SCALE ? 0 : Math.min(0.999 * 10 ** precision, SURELY_INT64) / 10 ** scale;
  }

  override append(value: unknown): void {
    if (typeof value === "number") this.#appendNumber(value);
    else if (typeof value === "string") this.#appendText(value);
    else if (value instanceof NumberText) this.#appendText(value.text);
    else if (typeof value === "bigint") this.#appendScaled(value * this.#unit, value);
    else refuseKind(value, "a decimal number");
  }

  /** The whole part is exact; of the fraction the product must be further from a tie than its own rounding error. */
  #appendNumber(value: number): void {
    const whole = Math.trunc(value);
    const fraction = (value - whole) * POWERS_OF_TEN[this.#scale]!;
    const rounded = Math.round(fraction);
    const clear = Math.abs(fraction - rounded) < 0.5 - Math.abs(fraction) * Number.EPSILON;
    if (clear && Math.abs(value) < this.#sureNumber) this.#store(whole, this.#scale, rounded);
    else this.#appendScaled(roundScaled(value, this.#scale), value);
  }

  #appendText(text: string): void {
    const read = this.#text;
    if (!read.read(text, this.#scale)) this.#appendScaled(readExact(text, this.#scale), text);
    else if (read.digits > this.#precision) this.#refuseRange(text);
    else this.#store(read.high, read.power, read.low);
  }

  /** Adds `high * 10^power + low`, known to be in range and in 63 bits. */
  #store(high: number, power: number, low: number): void {
    if (this.#words === 1) {
      this.cells.push32(high * POWERS_OF_TEN[power]! + low);
      return;
    }
    const at = this.cells.next() * this.#words;
    storeSum(this.cells.i32, at, this.#words, high, power, low);
  }

  #appendScaled(scaled: bigint, value: unknown): void {
    if (scaled >= this.#limit || scaled <= -this.#limit) this.#refuseRange(value);
    const at = this.cells.next() * this.#words;
    storeBigint(this.cells.i32, at, this.#words, scaled);
  }

  override valueAt(index: number): string {
    const units = loadBigint(this.cells.i32, index * this.#words, this.#words, true);
    if (this.#scale === 0) return String(units);
    const digits = String(units < 0n ? -units : units).padStart(this.#scale + 1, "0");
    const text = `${digits.slice(0, -this.#scale)}.${digits.slice(-this.#scale)}`.replace(/\.?0+$/, "");
    return units < 0n ? `-${text}` : text;
  }

  #refuseRange(value: unknown): never {
    throw new Refusal(`is out of range for Decimal(${this.#precision}, ${this.#scale})`, value);
  }
}
