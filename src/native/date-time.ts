import { FixedWriter } from "./fixed-writer.js";
import { BARE_DIGITS, bareText, Instant, microsOfNumber } from "./instant.js";
import { Micros } from "./micros.js";
import { Refusal } from "./refusal.js";
import { ScaledText } from "./scaled-text.js";
import { floorQuotient, SURELY_INT64, storeBigint, storeSum } from "./words.js";

const MIN_INT64 = -(2n ** 63n);
const MAX_INT64 = 2n ** 63n - 1n;
/** 0000-01-01T00:00:00Z and 9999-12-31T23:59:59Z: beyond these ClickHouse prints another time than is stored. */
const MIN_SECONDS = -62_167_219_200;
const MAX_SECONDS = 253_402_300_799;
const MAX_UINT32 = 0xffff_ffff;

/** DateTime64(P): Unix time as a signed 64-bit count of 10^-P seconds. */
export class DateTime64Writer extends FixedWriter {
  readonly #digits: number;
  /** Seconds of a magnitude below this fit an Int64 of ticks for certain. */
  readonly #sureSeconds: number;
  readonly #instant = new Instant();
  readonly #text = new ScaledText();

  constructor(digits: number) {
    super(8);
    this.#digits = digits;
    this.#sureSeconds = SURELY_INT64 / 10 ** digits - 1;
  }

  override append(value: unknown): void {
    if (this.#digits === 9 && this.#appendNanoseconds(value)) return;
    this.#instant.read(value, this.#digits);
    const { seconds, fraction } = this.#instant;
    if (seconds < MIN_SECONDS || seconds > MAX_SECONDS) this.#refuseRange(value);
    if (Math.abs(seconds) < this.#sureSeconds) {
      const at = this.cells.next() * 2;
      storeSum(this.cells.i32, at, 2, seconds, this.#digits, fraction);
      return;
    }
    const ticks = BigInt(seconds) * 10n ** BigInt(this.#digits) + BigInt(fraction);
    if (ticks < MIN_INT64 || ticks > MAX_INT64) this.#refuseRange(value);
    const at = this.cells.next() * 2;
    storeBigint(this.cells.i32, at, 2, ticks);
  }

  /** The common case of nanoseconds that are stored as they come; false leaves the value to {@link Instant}. */
  #appendNanoseconds(value: unknown): boolean {
    if (typeof value === "number") {
      const micros = microsOfNumber(value);
      const at = this.cells.next() * 2;
      storeSum(this.cells.i32, at, 2, micros, 3, 0);
      return true;
    }
    if (value instanceof Micros) {
      const { micros, nanos } = value.checked();
      const at = this.cells.next() * 2;
      storeSum(this.cells.i32, at, 2, micros, 3, nanos);
      return true;
    }
    if (typeof value === "bigint") {
      if (value < MIN_INT64 || value > MAX_INT64) this.#refuseRange(value);
      const index = this.cells.next();
      this.cells.i64[index] = value;
      return true;
    }
    const bare = bareText(value);
    const read = this.#text;
    if (bare === undefined || !read.read(bare, 0) || read.digits < BARE_DIGITS) return false;
    const at = this.cells.next() * 2;
    storeSum(this.cells.i32, at, 2, read.high, read.power, read.low);
    return true;
  }

  #refuseRange(value: unknown): never {
    throw new Refusal(`is out of range for DateTime64(${this.#digits})`, value);
  }

  override secondsAt(index: number): number {
    return floorQuotient(this.cells.i32, index * 2, this.#digits);
  }

  override valueAt(index: number): string {
    const seconds = this.secondsAt(index);
    const fraction = BigInt(this.textAt(index)) - BigInt(seconds) * 10n ** BigInt(this.#digits);
    const places = this.#digits === 0 ? "" : `.${String(fraction).padStart(this.#digits, "0")}`;
    return isoText(seconds).replace("Z", `${places}Z`);
  }
}

/** DateTime: whole Unix seconds in 32 unsigned bits. */
export class DateTimeWriter extends FixedWriter {
  readonly #instant = new Instant();

  constructor() {
    super(4);
  }

  override append(value: unknown): void {
    this.#instant.read(value, 0);
    const { seconds } = this.#instant;
    if (seconds < 0 || seconds > MAX_UINT32) throw new Refusal("is out of range for DateTime", value);
    this.cells.push32(seconds);
  }

  override secondsAt(index: number): number {
    return this.cells.i32[index]! >>> 0;
  }

  override valueAt(index: number): string {
    return isoText(this.secondsAt(index));
  }

  override textAt(index: number): string {
    return String(this.secondsAt(index));
  }
}

/** `2024-08-08T23:54:15Z` */
function isoText(seconds: number): string {
  return `${new Date(seconds * 1000).toISOString().slice(0, 19)}Z`;
}
