import type { Command } from "commander";
import type { FlushAnswer } from "../../admin/flush-route.js";
import { ColdpathError } from "../../base/errors.js";
import { tableText } from "../../base/table-text.js";
import { MINUTE_MS, parseDuration, SECOND_MS } from "../../base/units.js";
import { Context } from "../context.js";
import { withExamples } from "../examples.js";
import { RunningService } from "../running-service.js";

const FLUSH_MAX_MS: number = MINUTE_MS;

export function registerFlush(program: Command): void {
  const flush = program
    .command("flush")
    .argument("[table]", "only this table's rows")
    .option("--wait <time>", "how long the service may take, 60s at most", "10s")
    .description(
      "send at once what the running service holds, full batch or not, and wait until it is stored",
    )
    .action(async (table: string | undefined, { wait }: { readonly wait: string }, command: Command) => {
      const context = new Context(command);
      const query = new URLSearchParams({ wait: String(secondsOf(wait)), ...(table && { table }) });
      const service = new RunningService(context.load());
      const answer = (await service.ask("POST", `/api/flush?${query}`, 2 * FLUSH_MAX_MS)) as
        | FlushAnswer
        | undefined;
      if (answer === undefined) throw nothingHeld(service.url);
      context.result(text(answer), { service: service.url, ...answer });
      if (!answer.done) process.exitCode = 1;
    });
  withExamples(flush, [
    ["coldpath flush", "all tables"],
    ["coldpath flush orders --wait 30s", "one table, for half a minute at most"],
  ]);
}

function secondsOf(wait: string): number {
  const ms = parseDuration(wait);
  if (ms === undefined || ms > FLUSH_MAX_MS)
    throw new ColdpathError("USAGE", `--wait ${wait}: expected a duration up to 60s, such as 10s`);
  return ms / SECOND_MS;
}

/** Only a running recorder has rows in memory; files are another command's. */
function nothingHeld(url: string): ColdpathError {
  const hint =
    "without a running recorder no rows are held in memory. What its log has is stored by the next start, or now by coldpath replay";
  return new ColdpathError("SERVICE_ABSENT", `no recorder answers at ${url}: ${hint}`);
}

function text({ done, seconds, tables }: FlushAnswer): string {
  const rows = Object.entries(tables);
  if (rows.length === 0) return "nothing was held";
  return [
    tableText(
      ["table", "held", "left"],
      rows.map(([name, { held, left }]) => [name, String(held), String(left)]),
    ),
    done
      ? `done in ${seconds.toFixed(1)} s`
      : `not done after ${seconds.toFixed(1)} s: coldpath status says what is in the way`,
  ].join("\n");
}
