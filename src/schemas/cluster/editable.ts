import { type Token, tokensOf } from "../../clickhouse/lexer.js";
import { quoteName } from "../../clickhouse/quote.js";

/** A name in a statement: which tokens it takes, and what it says. */
export interface NameAt {
  /** Index of its first token, and of the one behind it. */
  readonly from: number;
  readonly to: number;
  /** Undefined if the statement does not name one. */
  readonly database: string | undefined;
  readonly name: string;
}

/** One statement as its tokens, and what is put in their place. */
export class EditableStatement {
  readonly tokens: readonly Token[];
  /** Decoded as latin1, as the lexer counts. */
  readonly #text: string;
  readonly #edits: { readonly start: number; readonly end: number; readonly text: string }[] = [];

  constructor(sql: string) {
    this.#text = Buffer.from(sql, "utf8").toString("latin1");
    this.tokens = [...tokensOf(this.#text)];
  }

  /** A word in upper case or a symbol; empty for anything else and beyond the end. */
  word(index: number): string {
    return this.tokens[index]?.text ?? "";
  }

  /** Whether the words stand there, one behind the other. */
  has(index: number, ...words: readonly string[]): boolean {
    return words.every((word, offset) => this.word(index + offset) === word);
  }

  /** The name, with its database or without, that begins at a token. */
  nameAt(index: number): NameAt | undefined {
    const first = this.#identifier(index);
    if (first === undefined) return undefined;
    const second = this.word(index + 1) === "." ? this.#identifier(index + 2) : undefined;
    return second === undefined
      ? { from: index, to: index + 1, database: undefined, name: first }
      : { from: index, to: index + 3, database: first, name: second };
  }

  /** The statement's own text of the tokens from one up to another. */
  slice(from: number, to: number): string {
    const text = this.#text.slice(this.tokens[from]!.start, this.tokens[to - 1]!.end);
    return Buffer.from(text, "latin1").toString("utf8");
  }

  /** Indices of the tokens from `from` on that stand outside of all parentheses. */
  *outside(from: number): Generator<number, undefined> {
    let depth = 0;
    for (let index = from; index < this.tokens.length; index += 1) {
      const word = this.word(index);
      if (word === ")") depth -= 1;
      if (depth === 0) yield index;
      if (word === "(") depth += 1;
    }
  }

  replace(name: Pick<NameAt, "from" | "to">, text: string): void {
    this.#edits.push({ start: this.tokens[name.from]!.start, end: this.tokens[name.to - 1]!.end, text });
  }

  insertAfter(index: number, text: string): void {
    const { end } = this.tokens[index]!;
    this.#edits.push({ start: end, end, text });
  }

  /** The statement with all edits. */
  toString(): string {
    let result = "";
    let at = 0;
    for (const { start, end, text } of this.#edits.toSorted((a, b) => a.start - b.start || a.end - b.end)) {
      result += this.#text.slice(at, start) + Buffer.from(text, "utf8").toString("latin1");
      at = end;
    }
    return Buffer.from(result + this.#text.slice(at), "latin1").toString("utf8");
  }

  #identifier(index: number): string | undefined {
    const token = this.tokens[index];
    if (token === undefined || (token.kind !== "word" && token.kind !== "quoted")) return undefined;
    const text = this.slice(index, index + 1);
    if (token.kind === "word") return text;
    const quote = text[0]!;
    return text
      .slice(1, -1)
      .replaceAll(quote + quote, quote)
      .replace(/\\(.)/gs, "$1");
  }
}

/** A name as people write it: quoted only where it must be. */
export function plainName(name: string): string {
  return /^[A-Za-z_]\w*$/.test(name) ? name : quoteName(name);
}
