import { ColdpathError } from "../base/errors.js";

/** A ClickHouse type name taken apart: `DateTime64(9, 'UTC')` is a type with a number and a text as arguments. */
export interface TypeName {
  readonly kind: "type";
  readonly name: string;
  readonly arguments: readonly TypeArgument[];
}

export type TypeArgument =
  | TypeName
  | { readonly kind: "number"; readonly value: number }
  | { readonly kind: "text"; readonly value: string }
  | { readonly kind: "entry"; readonly name: string; readonly value: number }
  | { readonly kind: "element"; readonly name: string; readonly type: TypeName };

const WORD = /[A-Za-z_]\w*/y;
const ESCAPES: Readonly<Record<string, string>> = { b: "\b", f: "\f", n: "\n", r: "\r", t: "\t", "0": "\0" };

/**
 * Reads a type name as DESCRIBE prints it, a Tuple over several lines; quotes, commas and parentheses within quoted names
 * are text.
 * @throws ColdpathError TYPE_UNSUPPORTED for a text that is no such name.
 */
export function parseTypeName(text: string): TypeName {
  return new TypeNameParser(text).parse();
}

class TypeNameParser {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  parse(): TypeName {
    const type = this.#type();
    this.#skipBlanks();
    if (this.#at !== this.#text.length) this.#fail();
    return type;
  }

  #type(): TypeName {
    return this.#typeNamed(this.#take(WORD) ?? this.#fail());
  }

  #typeNamed(name: string): TypeName {
    return { kind: "type", name, arguments: this.#takeMark("(") ? this.#arguments() : [] };
  }

  #arguments(): TypeArgument[] {
    const list: TypeArgument[] = [];
    if (this.#takeMark(")")) return list;
    do list.push(this.#argument());
    while (this.#takeMark(","));
    if (!this.#takeMark(")")) this.#fail();
    return list;
  }

  #argument(): TypeArgument {
    const element = this.#take(/`(?:[^`\\]|\\.|``)*`/sy);
    if (element !== undefined) return { kind: "element", name: unquote(element), type: this.#type() };
    const quoted = this.#take(/'(?:[^'\\]|\\.|'')*'/sy);
    if (quoted !== undefined) {
      const name = unquote(quoted);
      return this.#takeMark("=")
        ? { kind: "entry", name, value: this.#number() }
        : { kind: "text", value: name };
    }
    const digits = this.#take(/-?\d+(?:\.\d+)?/y);
    return digits === undefined ? this.#elementOrType() : { kind: "number", value: Number(digits) };
  }

  /** `px Int8` is an element of a Tuple with its name, `Int8` a type. */
  #elementOrType(): TypeArgument {
    const word = this.#take(WORD) ?? this.#fail();
    const type = this.#take(WORD);
    return type === undefined
      ? this.#typeNamed(word)
      : { kind: "element", name: word, type: this.#typeNamed(type) };
  }

  #number(): number {
    return Number(this.#take(/-?\d+/y) ?? this.#fail());
  }

  #takeMark(mark: string): boolean {
    this.#skipBlanks();
    if (this.#text[this.#at] !== mark) return false;
    this.#at += 1;
    return true;
  }

  #take(pattern: RegExp): string | undefined {
    this.#skipBlanks();
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    this.#at += found?.length ?? 0;
    return found;
  }

  #skipBlanks(): void {
    while (this.#text[this.#at] === " " || this.#text[this.#at] === "\n") this.#at += 1;
  }

  #fail(): never {
    throw new ColdpathError(
      "TYPE_UNSUPPORTED",
      `cannot read the type ${this.#text} at character ${this.#at + 1}`,
    );
  }
}

function unquote(quoted: string): string {
  return quoted.slice(1, -1).replace(/\\(.)|''|``/gs, (quote: string, escaped?: string) => {
    return escaped === undefined ? quote[0]! : (ESCAPES[escaped] ?? escaped);
  });
}
