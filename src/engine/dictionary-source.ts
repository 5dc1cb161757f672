import type { Token } from "../clickhouse/lexer.js";
import { refusal } from "./exception.js";

/** What a dictionary may say of the local table it reads. Hosts, and queries in strings, are not among it. */
const KEYS: ReadonlySet<string> = new Set(["TABLE", "DB"]);

/**
 * Refuses the source of a dictionary, `SOURCE(NAME(…))`, unless it is a table of this engine. The engine's grants do not
 * cover the others: they reach hosts and programs, and a QUERY or WHERE is SQL inside of a string.
 *
 * @param at index of the word SOURCE
 * @throws ClickHouseError 497
 */
export function refuseForeignSource(tokens: readonly Token[], at: number): void {
  const [open, name, inner] = tokens.slice(at + 1, at + 4);
  const isSource =
    open?.text === "(" && (name?.kind === "word" || name?.kind === "quoted") && inner?.text === "(";
  if (!isSource) return;
  let index = at + 4;
  while (KEYS.has(tokens[index]?.text ?? "") && tokens[index + 1]?.kind !== "symbol") index += 2;
  const isLocal = name.text === "NULL" || name.text === "CLICKHOUSE";
  if (isLocal && tokens[index]?.text === ")") return;
  throw refusal(
    497,
    "ACCESS_DENIED",
    "The source of a dictionary may be a table of this engine, CLICKHOUSE(TABLE … DB …), no more.",
  );
}
