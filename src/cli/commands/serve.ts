import type { Command } from "commander";
import { ColdpathError } from "../../base/errors.js";
import { MINUTE_MS, parseDuration } from "../../base/units.js";
import { type Service, startService } from "../../service/serve.js";
import { Context, interruption } from "../context.js";
import { tableText } from "../table-text.js";
import { untilAborted } from "../until-aborted.js";

/** What the recorder holds is stored within this after Ctrl-C, or told to be lost. */
const CLOSE_DEADLINE_MS = MINUTE_MS / 2;
const DEMO_EVENTS_PER_SECOND = 1000;

export function registerServe(program: Command): void {
  program
    .command("serve")
    .description("run the recorder with its HTTP intake in the foreground, until Ctrl-C")
    .action(async (_options, command: Command) => {
      const context = new Context(command);
      await run(context, await startService(context.load().config), interruption());
    });
  program
    .command("demo")
    .option("--duration <time>", "end by itself after this, such as 20s")
    .option("--rate <n>", "simulated market events per second", String(DEMO_EVENTS_PER_SECOND))
    .description("serve with a simulated market as producer")
    .action(async (options: { duration?: string; rate: string }, command: Command) => {
      const context = new Context(command);
      const rate = Number(options.rate);
      if (!(rate > 0 && rate <= 100_000)) {
        throw new ColdpathError(
          "USAGE",
          `--rate ${options.rate}: expected events per second, from 1 to 100000`,
        );
      }
      const stop = interruption();
      const duration = options.duration === undefined ? undefined : durationOf(options.duration);
      const service = await startService(context.load(["recorder.env=demo"]).config, { simulate: rate });
      context.note("a SIMULATED market is being recorded: symbols SIM-…, env demo, source simulator");
      const signals = duration === undefined ? [stop] : [stop, AbortSignal.timeout(duration)];
      await run(context, service, AbortSignal.any(signals));
    });
}

function durationOf(text: string): number {
  const duration = parseDuration(text);
  if (duration === undefined)
    throw new ColdpathError("USAGE", `--duration ${text}: expected a duration such as 20s or 5m`);
  return duration;
}

async function run(context: Context, service: Service, stop: AbortSignal): Promise<void> {
  const { adminUrl, tokenFile, opened } = service;
  const { url } = opened.clickhouse.options;
  const sql =
    "SELECT symbol, kind, count() AS rows, max(ts_exchange) AS last FROM coldpath.market_data GROUP BY ALL ORDER BY ALL";
  context.note(
    [
      `status      ${adminUrl}/`,
      `ClickHouse  ${url}${opened.engine === undefined ? "" : " (embedded; anyone on this machine may read)"}`,
      "query it    " + `curl -s '${url}/' --data-binary '${sql} FORMAT PrettyCompact'`,
      `write rows  curl -H "Authorization: Bearer $(cat ${tokenFile})" -H 'Content-Type: application/x-ndjson' \\`,
      `              ${adminUrl}/v1/ingest/orders --data-binary @orders.ndjson`,
      "Ctrl-C stores what is held and ends.",
    ].join("\n"),
  );
  await untilAborted(stop);
  context.note("storing what is held …");
  const report = await service.close(CLOSE_DEADLINE_MS);
  const tables = Object.entries(report.tables).filter(([, { offered }]) => offered > 0);
  const rows = tables.map(([name, { offered, stored, deadLettered, pending }]) => [
    name,
    ...[offered, stored, deadLettered, pending.rows].map(String),
  ]);
  context.result(tableText(["table", "offered", "stored", "dead letters", "not stored"], rows), report);
}
