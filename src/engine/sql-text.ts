import type { Token } from "../clickhouse/lexer.js";

/** The bytes of a latin1 text as the UTF-8 they are. */
export function utf8(latin1: string): string {
  return Buffer.from(latin1, "latin1").toString("utf8");
}

/** Names of the `{name:Type}` in a statement. */
export function parameterNames(text: string, tokens: readonly Token[]): string[] {
  const names: string[] = [];
  tokens.forEach((token, index) => {
    const [name, colon] = [tokens[index + 1], tokens[index + 2]];
    if (token.text === "{" && name?.kind === "word" && colon?.text === ":") {
      names.push(text.slice(name.start, name.end));
    }
  });
  return names;
}
