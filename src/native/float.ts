import { FixedWriter } from "./fixed-writer.js";
import { NumberText } from "./number-text.js";
import { Refusal, refuseKind } from "./refusal.js";

const NUMBER = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i;
const SPECIAL: Readonly<Record<string, number>> = {
  nan: Number.NaN,
  inf: Number.POSITIVE_INFINITY,
  infinity: Number.POSITIVE_INFINITY,
  "-inf": Number.NEGATIVE_INFINITY,
  "-infinity": Number.NEGATIVE_INFINITY,
};

/** Float32 and Float64: rounded to nearest as floats are, NaN and the infinities kept; a finite value never overflows. */
export class FloatWriter extends FixedWriter {
  constructor(width: 4 | 8) {
    super(width);
  }

  override append(value: unknown): void {
    const given = typeof value === "number" ? value : numberOf(value);
    const stored = this.width === 4 ? Math.fround(given) : given;
    if (!Number.isFinite(stored) && Number.isFinite(given)) this.#refuseRange(value);
    const index = this.cells.next();
    if (this.width === 4) this.cells.f32[index] = stored;
    else this.cells.f64[index] = stored;
  }

  override valueAt(index: number): number | string {
    const value = this.width === 4 ? this.cells.f32[index]! : this.cells.f64[index]!;
    return Number.isFinite(value) ? value : String(value);
  }

  #refuseRange(value: unknown): never {
    throw new Refusal(`is out of range for Float${this.width * 8}`, value);
  }
}

function numberOf(value: unknown): number {
  if (typeof value === "bigint") return finite(Number(value), value);
  const text = value instanceof NumberText ? value.text : value;
  if (typeof text !== "string") refuseKind(value, "a number");
  if (NUMBER.test(text)) return finite(Number(text), value);
  const special = SPECIAL[text.toLowerCase()];
  if (special === undefined) throw new Refusal("is not a number", value);
  return special;
}

function finite(number: number, value: unknown): number {
  if (!Number.isFinite(number)) throw new Refusal("is out of range for Float64", value);
  return number;
}
