/**
 * ClickHouse's own division of SQL text into tokens, as far as it decides where strings, comments and statements end.
 * It follows the rules of ClickHouse's lexer, because the engine behind must never see a boundary elsewhere than we do.
 *
 * Works on text decoded as latin1, so that an offset is a byte offset whatever the encoding of the bytes.
 */

type TokenKind = "word" | "quoted" | "string" | "number" | "symbol" | "open";

export interface Token {
  /** `open` = a string, identifier or comment that is never closed; it reaches to the end of the text. */
  readonly kind: TokenKind;
  readonly start: number;
  readonly end: number;
  /** The word in upper case, the symbol's character; empty for anything else. */
  readonly text: string;
}

const WORD_START = /[A-Za-z_$]/;
const WORD = /[A-Za-z0-9_$]*/y;
/** Hexadecimal, binary or decimal, then whatever sticks to it: `1table` is a name. */
const NUMBER =
  /(?:0[xX][0-9a-fA-F][0-9a-fA-F_]*(?:\.[0-9a-fA-F_]*)?(?:[pP][+-]?[0-9_]*)?|0[bB][01][0-9_]*|[0-9][0-9_]*(?:\.[0-9_]*)?(?:[eE][+-]?[0-9_]*)?)[0-9A-Za-z_]*/y;
/** After a dot there is no fraction and no exponent, so that `x.1.1` is two accesses. */
const NUMBER_AFTER_DOT = /[0-9][0-9A-Za-z_]*/y;
const FRACTION = /\.[0-9_]+(?:[eE][+-]?[0-9_]*)?/y;
/** White space, and any byte beyond ASCII: outside of quotes those are white space or an error to the engine. */
const BLANK = /[\s\x80-\xff]*/y;
const LINE = /[^\n]*/y;

/** End of the match of a sticky expression at `at`. */
function endOf(expression: RegExp, text: string, at: number): number {
  expression.lastIndex = at;
  expression.test(text);
  return Math.max(at, expression.lastIndex);
}

/** End of a quoted run that starts at `at`, or -1 when it is never closed. A backslash escapes, a doubled quote stays. */
function endOfQuoted(text: string, at: number): number {
  const quote = text[at]!;
  let position = at + 1;
  while (position < text.length) {
    const character = text[position]!;
    if (character === "\\") position += 2;
    else if (character !== quote) position += 1;
    else if (text[position + 1] === quote) position += 2;
    else return position + 1;
  }
  return -1;
}

/** End of a block comment that starts at `at`, or -1. They nest. */
function endOfBlockComment(text: string, at: number): number {
  let depth = 0;
  let position = at;
  while (position + 1 < text.length) {
    const pair = text.slice(position, position + 2);
    if (pair === "/*") depth += 1;
    else if (pair === "*/") depth -= 1;
    position += pair === "/*" || pair === "*/" ? 2 : 1;
    if (depth === 0) return position;
  }
  return -1;
}

/** The `$tag$ … $tag$` that starts at `at`, or undefined when the dollar sign starts no such literal. */
function heredocAt(text: string, at: number): Token | undefined {
  const tagEnd = text.indexOf("$", at + 1);
  if (tagEnd < 0) return undefined;
  const tag = text.slice(at, tagEnd + 1);
  const close = text.indexOf(tag, tagEnd + 1);
  if (close < 0) return undefined;
  // ClickHouse versions differ on which tags they accept, so the odd ones are not accepted here at all.
  if (!/^\$\w*\$$/.test(tag)) return { kind: "open", start: at, end: text.length, text: "" };
  return { kind: "string", start: at, end: close + tag.length, text: "" };
}

/** Bytes of ‘ “ and of ’ ”, which ClickHouse takes as quotes too. */
const UNICODE_OPEN = /^\xe2\x80[\x98\x9c]/;
const UNICODE_CLOSE = /\xe2\x80[\x99\x9d]/g;

function endOfUnicodeQuoted(text: string, at: number): number {
  UNICODE_CLOSE.lastIndex = at + 3;
  return UNICODE_CLOSE.test(text) ? UNICODE_CLOSE.lastIndex : -1;
}

/** Where a comment that starts at `at` ends; `at` itself when none starts there; -1 when it is never closed. */
function endOfComment(text: string, at: number): number {
  const pair = text.slice(at, at + 2);
  if (pair === "/*") return endOfBlockComment(text, at);
  if (pair === "--" || pair === "//" || pair === "# " || pair === "#!") return endOf(LINE, text, at);
  return at;
}

/** Where the next token starts, white space and comments skipped; -1 at a comment that is never closed. */
function skipInsignificant(text: string, at: number): number {
  let position = at;
  while (position < text.length) {
    const blank = UNICODE_OPEN.test(text.slice(position, position + 3))
      ? position
      : skipBlank(text, position);
    const end = endOfComment(text, blank);
    if (end < 0) return -1;
    if (end === position) break;
    position = end;
  }
  return position;
}

/** Skips white space, but stops before a unicode quote. */
function skipBlank(text: string, at: number): number {
  const end = endOf(BLANK, text, at);
  const quote = text.slice(at, end).search(/\xe2\x80[\x98\x9c]/);
  return quote < 0 ? end : at + quote;
}

/** What a dot follows when it is an access and not the start of a fraction. */
function isOperand(token: Token | undefined): boolean {
  if (token === undefined) return false;
  return token.kind === "symbol" ? token.text === ")" || token.text === "]" : token.kind !== "string";
}

/** The token that starts exactly at `start`, which is neither white space nor a comment. */
function tokenAt(text: string, start: number, previous: Token | undefined): Token {
  const character = text[start]!;
  const token = (kind: TokenKind, end: number, value = ""): Token =>
    end < 0
      ? { kind: "open", start, end: text.length, text: "" }
      : { kind, start, end: Math.min(end, text.length), text: value };
  if (character === "'") return token("string", endOfQuoted(text, start));
  if (character === '"' || character === "`") return token("quoted", endOfQuoted(text, start));
  if (character === "\xe2") {
    return token(text[start + 2] === "\x98" ? "string" : "quoted", endOfUnicodeQuoted(text, start));
  }
  if (character === "$") {
    const heredoc = heredocAt(text, start);
    if (heredoc !== undefined) return heredoc;
  }
  if (/[0-9]/.test(character)) {
    return token("number", endOf(previous?.text === "." ? NUMBER_AFTER_DOT : NUMBER, text, start));
  }
  if (character === "." && /[0-9]/.test(text[start + 1] ?? "") && !isOperand(previous)) {
    return token("number", endOf(FRACTION, text, start));
  }
  if (WORD_START.test(character)) {
    const end = endOf(WORD, text, start);
    return token("word", end, text.slice(start, end).toUpperCase());
  }
  return token("symbol", start + 1, character);
}

/**
 * A word that begins with a dollar sign was first taken for a `$tag$` and looked for in all that follows. A text with
 * more of them is not read on: that would take minutes.
 */
const DOLLARS_MAX = 100;

/** The tokens of `text` (latin1) without white space and comments. After an `open` token there are no more. */
export function* tokensOf(text: string): Generator<Token, undefined> {
  let previous: Token | undefined;
  let dollars = 0;
  for (;;) {
    const from = previous?.end ?? 0;
    const start = skipInsignificant(text, from);
    if (start >= text.length) return;
    const token: Token =
      start < 0 || dollars >= DOLLARS_MAX
        ? { kind: "open", start: from, end: text.length, text: "" }
        : tokenAt(text, start, previous);
    if (text[start] === "$" && token.kind === "word") dollars += 1;
    yield token;
    if (token.kind === "open") return;
    previous = token;
  }
}
