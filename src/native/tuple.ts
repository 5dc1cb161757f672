import { nearest } from "../base/nearest.js";
import type { BlockReader } from "./block-reader.js";
import type { ByteBuffer } from "./byte-buffer.js";
import { ColumnWriter } from "./column-writer.js";
import { isPlainObject } from "./plain-object.js";
import { Refusal, refuseAt, refuseKind } from "./refusal.js";

/**
 * Tuple(T, …): each element as a column of its own, one after another. Given as an array of all elements, or as an object
 * if the elements have names.
 */
export class TupleWriter extends ColumnWriter {
  readonly #elements: readonly ColumnWriter[];
  /** The elements' names, none if the type has none. */
  readonly #names: readonly string[];
  readonly #known: ReadonlySet<string>;
  readonly #last: ColumnWriter;

  /** @param names as many as elements, or none. */
  constructor(elements: readonly [ColumnWriter, ...ColumnWriter[]], names: readonly string[]) {
    const width = elements.reduce((total, element) => total + element.width, 0);
    super(
      width,
      elements.every((element) => element.fixed),
    );
    this.#elements = elements;
    this.#names = names;
    this.#known = new Set(names);
    this.#last = elements.at(-1)!;
  }

  /** Elements are added in order, so the last one has what is whole. */
  override get length(): number {
    return this.#last.length;
  }

  override get extraBytes(): number {
    return this.#elements.reduce((total, element) => total + element.extraBytes, 0);
  }

  override append(value: unknown): void {
    if (Array.isArray(value)) this.#appendList(value);
    else if (this.#names.length === 0) refuseKind(value, "an array");
    else if (isPlainObject(value)) this.#appendObject(value);
    else refuseKind(value, "an object or an array");
  }

  #appendList(list: readonly unknown[]): void {
    const { length } = this.#elements;
    if (list.length !== length) {
      throw new Refusal(`is of length ${list.length} where the Tuple has length ${length}`, list);
    }
    for (const [index, element] of this.#elements.entries()) {
      try {
        element.append(list[index]);
      } catch (error) {
        refuseAt(`element ${index}`, error);
      }
    }
  }

  #appendObject(object: Readonly<Record<string, unknown>>): void {
    for (const key of Object.keys(object)) if (!this.#known.has(key)) this.#refuseKey(key, object);
    for (const [index, element] of this.#elements.entries()) {
      const name = this.#names[index]!;
      // What an object inherits (`constructor`) was not given.
      const given = Object.hasOwn(object, name) ? object[name] : undefined;
      try {
        element.append(given);
      } catch (error) {
        if (given === undefined) throw new Refusal(`lacks the element '${name}'`, object);
        refuseAt(`element '${name}'`, error);
      }
    }
  }

  #refuseKey(key: string, object: unknown): never {
    const close = nearest(key, this.#known);
    const hint = close === undefined ? "" : `, did you mean '${close}'?`;
    throw new Refusal(`has the unknown element '${key}'${hint}`, object);
  }

  override appendDefault(): void {
    for (const element of this.#elements) element.appendDefault();
  }

  override truncate(length: number): void {
    for (const element of this.#elements) element.truncate(length);
  }

  override valueAt(index: number): unknown {
    const values = this.#elements.map((element) => element.valueAt(index));
    return this.#names.length === 0
      ? values
      : Object.fromEntries(this.#names.map((name, at) => [name, values[at]]));
  }

  override encodePrefix(out: ByteBuffer): void {
    for (const element of this.#elements) element.encodePrefix(out);
  }

  override encode(out: ByteBuffer, from: number, to: number): void {
    for (const element of this.#elements) element.encode(out, from, to);
  }

  override readPrefix(input: BlockReader): void {
    for (const element of this.#elements) element.readPrefix(input);
  }

  override appendEncoded(input: BlockReader, rows: number): void {
    for (const element of this.#elements) element.appendEncoded(input, rows);
  }
}
