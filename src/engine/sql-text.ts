import type { Token } from "../clickhouse/lexer.js";

/** The bytes of a latin1 text as the UTF-8 they are. */
export function utf8(latin1: string): string {
  return Buffer.from(latin1, "latin1").toString("utf8");
}

/** A `{name:Type}` in a statement. */
export interface Parameter {
  readonly name: string;
  /** Its type is Identifier, written plainly. */
  readonly isIdentifier: boolean;
}

export function parametersOf(text: string, tokens: readonly Token[]): Parameter[] {
  const parameters: Parameter[] = [];
  tokens.forEach((token, index) => {
    const [name, colon, type, end] = tokens.slice(index + 1, index + 5);
    if (token.text === "{" && name?.kind === "word" && colon?.text === ":") {
      const isIdentifier = type?.text === "IDENTIFIER" && end?.text === "}";
      parameters.push({ name: text.slice(name.start, name.end), isIdentifier });
    }
  });
  return parameters;
}
