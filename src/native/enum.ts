import { nearest } from "../base/nearest.js";
import { FixedWriter } from "./fixed-writer.js";
import { NumberText } from "./number-text.js";
import { Refusal, refuseKind } from "./refusal.js";

/** Names listed in a refusal; more would not be read. */
const MAX_NAMES = 20;

/** Enum8 and Enum16: a signed integer per value, given by its name or its number. */
export class EnumWriter extends FixedWriter {
  readonly #numberOf: ReadonlyMap<string, number>;
  readonly #nameOf: ReadonlyMap<number, string>;

  constructor(width: 1 | 2, entries: ReadonlyMap<string, number>) {
    super(width);
    this.#numberOf = entries;
    this.#nameOf = new Map([...entries].map(([name, number]) => [number, name]));
  }

  override append(value: unknown): void {
    const number = typeof value === "string" ? this.#numberOf.get(value) : this.#checked(value);
    if (number === undefined) throw new Refusal(this.#unknownReason(value), value);
    if (this.width === 1) this.cells.push8(number);
    else this.cells.push16(number);
  }

  #checked(value: unknown): number | undefined {
    const number =
      value instanceof NumberText ? Number(value.text) : typeof value === "bigint" ? Number(value) : value;
    if (typeof number !== "number") refuseKind(value, "a name or number of the Enum");
    return this.#nameOf.has(number) ? number : undefined;
  }

  #unknownReason(value: unknown): string {
    const close = typeof value === "string" ? nearest(value, this.#numberOf.keys()) : undefined;
    if (close !== undefined) return `is not in the Enum, did you mean '${close}'?`;
    const names = [...this.#numberOf.keys()];
    const shown = names.slice(0, MAX_NAMES).map((name) => `'${name}'`);
    return `is not in the Enum, which has ${shown.join(", ")}${names.length > MAX_NAMES ? ", …" : ""}`;
  }

  override keyAt(index: number): number {
    return this.width === 1 ? (this.cells.u8[index]! << 24) >> 24 : (this.cells.u16[index]! << 16) >> 16;
  }

  override textAt(index: number): string {
    return this.#nameOf.get(this.keyAt(index))!;
  }
}
