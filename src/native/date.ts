import { dayOf, SECONDS_PER_DAY } from "./calendar.js";
import { FixedWriter } from "./fixed-writer.js";
import { readDay } from "./instant-text.js";
import { Refusal, refuseKind } from "./refusal.js";

const MS_PER_DAY = SECONDS_PER_DAY * 1000;

/** Date (16 bits, unsigned) and Date32: Unix days, from `YYYY-MM-DD` or a Date at midnight UTC. */
export class DateWriter extends FixedWriter {
  readonly #min: number;
  readonly #max: number;

  constructor(width: 2 | 4) {
    super(width);
    this.#min = width === 2 ? 0 : dayOf(1900, 1, 1);
    this.#max = width === 2 ? 0xffff : dayOf(2299, 12, 31);
  }

  override append(value: unknown): void {
    const day = dayOfValue(value);
    if (day < this.#min || day > this.#max) throw new Refusal(`is out of range for ${this.#typeName}`, value);
    if (this.width === 2) this.cells.push16(day);
    else this.cells.push32(day);
  }

  get #typeName(): string {
    return this.width === 2 ? "Date" : "Date32";
  }

  #dayAt(index: number): number {
    return this.width === 2 ? this.cells.u16[index]! : this.cells.i32[index]!;
  }

  override secondsAt(index: number): number {
    return this.#dayAt(index) * SECONDS_PER_DAY;
  }

  override valueAt(index: number): string {
    return new Date(this.#dayAt(index) * MS_PER_DAY).toISOString().slice(0, 10);
  }

  override textAt(index: number): string {
    return String(this.#dayAt(index));
  }
}

function dayOfValue(value: unknown): number {
  if (typeof value === "string") {
    if (value.length !== 10) throw new Refusal("is not a date such as 2024-08-08", value);
    return readDay(value, 0);
  }
  if (!(value instanceof Date)) refuseKind(value, "a date such as 2024-08-08");
  const day = value.getTime() / MS_PER_DAY;
  if (Number.isNaN(day)) throw new Refusal("is an invalid Date", value);
  if (!Number.isInteger(day)) throw new Refusal("has a time of day", value);
  return day;
}
