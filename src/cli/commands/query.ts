import { pipeline } from "node:stream/promises";
import type { Command } from "commander";
import type { Settings } from "../../clickhouse/client.js";
import { openClickHouse } from "../../service/open.js";
import { Context, interruption } from "../context.js";
import { withExamples } from "../examples.js";

/** A person who asks for a minute of work should not be cut off; a forgotten query should be. */
const TIMEOUT_MS = 3_600_000;

/** JSON numbers end in doubles at most readers; ids and decimals keep their digits as text. */
const EVERY_DIGIT: Settings = {
  output_format_json_quote_64bit_integers: 1,
  output_format_json_quote_decimals: 1,
};

export function registerQuery(program: Command): void {
  const query = program
    .command("query")
    .argument("<sql>", "statement to run, without FORMAT")
    .option(
      "-f, --format <name>",
      "ClickHouse output format (default: PrettyCompact on a terminal, else TSVWithNames)",
    )
    .description("run SQL on the configured ClickHouse and print the answer as it comes")
    .action(async (sql: string, options: { format?: string }, command: Command) => {
      const context = new Context(command);
      const signal = interruption();
      const opened = await openClickHouse(context.load().config);
      try {
        const answer = await opened.clickhouse.stream(sql, {
          format: options.format ?? defaultFormat(context),
          timeoutMs: TIMEOUT_MS,
          settings: EVERY_DIGIT,
          signal,
        });
        await pipeline(answer, process.stdout, { end: false }).catch(unlessReaderLeft);
      } finally {
        await opened.close();
      }
    });
  withExamples(query, [
    ['coldpath query "SELECT symbol, count() FROM market_data GROUP BY symbol"', "a table of the answer"],
    [
      'coldpath query "SELECT * FROM orders LIMIT 10" --format JSONEachRow',
      "in any output format of ClickHouse",
    ],
  ]);
}

/** A reader that has seen enough, such as `head`, is no failure. */
function unlessReaderLeft(error: NodeJS.ErrnoException): void {
  if (error.code !== "EPIPE") throw error;
}

function defaultFormat(context: Context): string {
  if (context.json) return "JSON";
  return process.stdout.isTTY ? "PrettyCompact" : "TSVWithNames";
}
