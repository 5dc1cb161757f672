import { ColdpathError } from "../base/errors.js";
import { tokensOf } from "../clickhouse/lexer.js";

/** One statement of an SQL file. */
export interface Statement {
  /** From its first to its last token: without the `;` and without comments around it. */
  readonly text: string;
  /** Line its first token stands on, from 1. */
  readonly line: number;
}

/**
 * The statements of an SQL text. A `;` in a string, a quoted name, a comment or a heredoc divides nothing, by the rules
 * of ClickHouse's own lexer. Data in the text (`INSERT … FORMAT x` followed by rows) is not understood: write VALUES or
 * SELECT.
 * @throws ColdpathError MIGRATION_FAILED if a string, quoted name or comment is never closed, with its line.
 */
export function splitStatements(sql: string): Statement[] {
  // The lexer counts in bytes.
  const text = Buffer.from(sql.replace(/^\ufeff/, ""), "utf8").toString("latin1");
  const statements: Statement[] = [];
  let start = -1;
  let end = -1;
  const close = (): void => {
    if (start >= 0) statements.push({ text: utf8(text.slice(start, end)), line: lineAt(text, start) });
    start = -1;
  };
  for (const token of tokensOf(text)) {
    if (token.kind === "open") {
      const line = lineAt(text, skipBlank(text, token.start));
      throw new ColdpathError(
        "MIGRATION_FAILED",
        `line ${line}: a string, quoted name or comment is opened and never closed`,
      );
    }
    if (token.kind === "symbol" && token.text === ";") {
      close();
      continue;
    }
    if (start < 0) start = token.start;
    end = token.end;
  }
  close();
  return statements;
}

function utf8(latin1: string): string {
  return Buffer.from(latin1, "latin1").toString("utf8");
}

/** An unclosed comment begins where the token before it ended, blanks first. */
function skipBlank(text: string, at: number): number {
  const blanks = /\s*/y;
  blanks.lastIndex = at;
  blanks.test(text);
  return blanks.lastIndex;
}

/** Line of a position, from 1. */
function lineAt(text: string, position: number): number {
  return text.slice(0, position).split("\n").length;
}
