import { isUtf8 } from "node:buffer";
import { LowCardinalityWriter } from "./low-cardinality.js";
import { Refusal, refuseKind } from "./refusal.js";
import { TextDictionary } from "./text-dictionary.js";

/** LowCardinality(String) and LowCardinality(Nullable(String)). */
export class LowCardinalityTextWriter extends LowCardinalityWriter {
  readonly #texts: TextDictionary;

  constructor(nullable: boolean) {
    const texts = new TextDictionary();
    super(texts, nullable);
    this.#texts = texts;
  }

  override append(value: unknown): void {
    if (typeof value === "string") this.appendCode(this.#texts.codeOf(value));
    else if (value instanceof Uint8Array) this.appendCode(this.#texts.codeOf(textOf(value)));
    else if (!this.appendNull(value)) refuseKind(value, "a string");
  }

  override appendDefault(): void {
    this.append("");
  }
}

function textOf(bytes: Uint8Array): string {
  if (!isUtf8(bytes)) throw new Refusal("is not valid UTF-8", bytes);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString();
}
