import { NumberText } from "../native/number-text.js";
import { LineError } from "./line-error.js";

/** Values nested deeper than this are refused; no column type goes so deep. */
const MAX_DEPTH = 32;

const TAB = 0x09;
const NEWLINE = 0x0a;
const RETURN = 0x0d;
const SPACE = 0x20;
const QUOTE = 0x22;
const PLUS = 0x2b;
const COMMA = 0x2c;
const MINUS = 0x2d;
const DOT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
/** Clear in `E`, set in `e`. */
const LOWER_CASE = 0x20;
const LETTER_E = 0x65;
const LETTER_F = 0x66;
const LETTER_N = 0x6e;
const LETTER_T = 0x74;

const HALF_PAIR = /\p{Surrogate}/u;

/**
 * The object of one line of NDJSON. Every number comes as {@link NumberText}, so no digit is lost.
 *
 * @throws LineError for anything but one JSON object (RFC 8259), for a key given twice, and for text that has no UTF-8
 * form (half of a surrogate pair).
 */
export function parseObject(line: string): Record<string, unknown> {
  return new Parser(line).object();
}

/** Any JSON value; rules and errors as {@link parseObject}. */
export function parseValue(text: string): unknown {
  return new Parser(text).value();
}

/**
 * A recursive descent over one line. A parser of our own because none keeps the digits of numbers, refuses duplicate
 * keys and bounds the depth at once; `JSON.parse` does none of these.
 */
class Parser {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  object(): Record<string, unknown> {
    if (this.#skipSpace() !== OPEN_BRACE) throw new LineError("is not a JSON object");
    return this.#toEnd(this.#object(1));
  }

  value(): unknown {
    return this.#toEnd(this.#value(0));
  }

  #toEnd<T>(value: T): T {
    this.#skipSpace();
    if (this.#at < this.#text.length) throw this.#broken("the end");
    return value;
  }

  #value(depth: number): unknown {
    switch (this.#skipSpace()) {
      case QUOTE:
        return this.#string();
      case OPEN_BRACE:
        return this.#object(depth + 1);
      case OPEN_BRACKET:
        return this.#array(depth + 1);
      case LETTER_T:
        return this.#word("true", true);
      case LETTER_F:
        return this.#word("false", false);
      case LETTER_N:
        return this.#word("null", null);
      default:
        return this.#number();
    }
  }

  #object(depth: number): Record<string, unknown> {
    this.#enter(depth);
    const object: Record<string, unknown> = {};
    if (this.#skipSpace() === CLOSE_BRACE) {
      this.#at += 1;
      return object;
    }
    for (;;) {
      if (this.#skipSpace() !== QUOTE) throw this.#broken("a key in quotes");
      const key = this.#string();
      if (Object.hasOwn(object, key)) throw new LineError("gives a key twice", JSON.stringify(key));
      if (this.#skipSpace() !== COLON) throw this.#broken("':'");
      this.#at += 1;
      const value = this.#value(depth);
      // Plain assignment would change the object's prototype.
      if (key === "__proto__") Object.defineProperty(object, key, { value, enumerable: true });
      else object[key] = value;
      const next = this.#skipSpace();
      if (next !== COMMA && next !== CLOSE_BRACE) throw this.#broken("',' or '}'");
      this.#at += 1;
      if (next === CLOSE_BRACE) return object;
    }
  }

  #array(depth: number): unknown[] {
    this.#enter(depth);
    const array: unknown[] = [];
    if (this.#skipSpace() === CLOSE_BRACKET) {
      this.#at += 1;
      return array;
    }
    for (;;) {
      array.push(this.#value(depth));
      const next = this.#skipSpace();
      if (next !== COMMA && next !== CLOSE_BRACKET) throw this.#broken("',' or ']'");
      this.#at += 1;
      if (next === CLOSE_BRACKET) return array;
    }
  }

  #enter(depth: number): void {
    if (depth > MAX_DEPTH) throw new LineError("is nested too deeply", `more than ${MAX_DEPTH} levels`);
    this.#at += 1;
  }

  #string(): string {
    const from = this.#at + 1;
    for (let end = from; ; end += 1) {
      const code = this.#text.charCodeAt(end);
      if (code === QUOTE) {
        this.#at = end + 1;
        return this.#text.slice(from, end);
      }
      if (code === BACKSLASH) return this.#escapedString(end);
      // Also true at the end of the text, where the code is NaN.
      if (!(code >= SPACE)) throw this.#brokenString(end);
    }
  }

  #escapedString(firstEscape: number): string {
    let end = firstEscape;
    for (let code = BACKSLASH; code !== QUOTE; code = this.#text.charCodeAt(end)) {
      if (!(code >= SPACE)) throw this.#brokenString(end);
      end += code === BACKSLASH ? 2 : 1;
    }
    const source = this.#text.slice(this.#at, end + 1);
    let value: string;
    try {
      value = JSON.parse(source) as string;
    } catch (cause) {
      throw new LineError("is broken JSON", `bad escape in the text at character ${this.#at + 1}`, cause);
    }
    if (HALF_PAIR.test(value)) throw new LineError("has text that has no UTF-8 form", source);
    this.#at = end + 1;
    return value;
  }

  #number(): NumberText {
    const text = this.#text;
    const from = this.#at;
    let code = text.charCodeAt(from);
    if (code === MINUS) code = text.charCodeAt(++this.#at);
    if (code === ZERO) code = text.charCodeAt(++this.#at);
    else code = this.#digits("a value");
    if (code === DOT) {
      this.#at += 1;
      code = this.#digits("a digit");
    }
    if ((code | LOWER_CASE) === LETTER_E) {
      code = text.charCodeAt(++this.#at);
      if (code === PLUS || code === MINUS) this.#at += 1;
      this.#digits("a digit");
    }
    return new NumberText(text.slice(from, this.#at));
  }

  /** Skips one digit or more and gives the code after them. */
  #digits(expected: string): number {
    const from = this.#at;
    let code = this.#text.charCodeAt(from);
    while (code >= ZERO && code <= NINE) code = this.#text.charCodeAt(++this.#at);
    if (this.#at === from) throw this.#broken(expected);
    return code;
  }

  #word<T>(word: string, value: T): T {
    if (!this.#text.startsWith(word, this.#at)) throw this.#broken("a value");
    this.#at += word.length;
    return value;
  }

  /** Skips white space and gives the code after it, NaN at the end. */
  #skipSpace(): number {
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (code !== SPACE && code !== TAB && code !== RETURN && code !== NEWLINE) return code;
      this.#at += 1;
    }
  }

  #broken(expected: string): LineError {
    const found = this.#at < this.#text.length ? `character ${this.#at + 1}` : "its end";
    return new LineError("is broken JSON", `expected ${expected} at ${found}`);
  }

  #brokenString(at: number): LineError {
    this.#at = at;
    return this.#broken(at < this.#text.length ? "no bare control character" : "a closing quote");
  }
}
