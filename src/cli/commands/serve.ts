import type { Command } from "commander";
import { ColdpathError } from "../../base/errors.js";
import { DAY_MS, formatDuration, MINUTE_MS, parseDuration } from "../../base/units.js";
import { type Service, startService } from "../../service/serve.js";
import { closeSummary, rowsLeft, rowsLogged } from "../close-summary.js";
import { Context, interruption } from "../context.js";
import { withExamples } from "../examples.js";
import { Hangup } from "../hangup.js";
import { untilAborted } from "../until-aborted.js";

/** What the recorder holds is stored within this after Ctrl-C, or told to be lost. */
export const CLOSE_DEADLINE_MS = MINUTE_MS / 2;
const DEMO_EVENTS_PER_SECOND = 1000;
/** A timer of Node that is longer than 2^31 ms strikes at once. */
const DURATION_MAX_MS: number = 24 * DAY_MS;

export function registerServe(program: Command): void {
  const serve = program
    .command("serve")
    .description("run the recorder with its HTTP intake in the foreground, until Ctrl-C")
    .action(async (_options, command: Command) => {
      const context = new Context(command);
      const stop = interruption();
      const hangup = new Hangup();
      const service = await startService(context.load(), () => context.read(), { mayBeAway: true });
      hangup.reloads(service.config);
      await run(context, service, AbortSignal.any([stop, hangup.left]));
    });
  withExamples(serve, [
    ["coldpath serve", "as coldpath.yaml says"],
    ["coldpath serve --set admin.listen=127.0.0.1:0", "on any free port, which other commands find"],
  ]);
}

export function registerDemo(program: Command): void {
  const demo = program
    .command("demo")
    .option("--duration <time>", "end by itself after this, such as 20s")
    .option("--rate <n>", "simulated market events per second", String(DEMO_EVENTS_PER_SECOND))
    .description("serve with a simulated market as producer")
    .action(async (options: { duration?: string; rate: string }, command: Command) => {
      const context = new Context(command);
      const rate = Number(options.rate);
      if (!(rate >= 1 && rate <= 100_000)) {
        throw new ColdpathError(
          "USAGE",
          `--rate ${options.rate}: expected events per second, from 1 to 100000`,
        );
      }
      const stop = interruption();
      const extra = ["recorder.env=demo"];
      const hangup = new Hangup();
      const duration = options.duration === undefined ? undefined : durationOf(options.duration);
      const service = await startService(context.load(extra), () => context.read(extra), { simulate: rate });
      context.note("a SIMULATED market is being recorded: symbols SIM-…, env demo, source simulator");
      hangup.reloads(service.config);
      const signals = [stop, hangup.left, ...(duration === undefined ? [] : [AbortSignal.timeout(duration)])];
      await run(context, service, AbortSignal.any(signals));
    });
  withExamples(demo, [
    ["coldpath demo", "until Ctrl-C"],
    ["coldpath demo --duration 20s --rate 5000", "5000 events a second, for 20 s"],
  ]);
}

const AWAY = "Critical rows go to the log; nothing is stored before it answers and its tables were checked.";

function durationOf(text: string): number {
  const duration = parseDuration(text);
  if (duration === undefined)
    throw new ColdpathError("USAGE", `--duration ${text}: expected a duration such as 20s or 5m`);
  if (duration > DURATION_MAX_MS)
    throw new ColdpathError(
      "USAGE",
      `--duration ${text}: expected ${formatDuration(DURATION_MAX_MS)} at most`,
    );
  return duration;
}

async function run(context: Context, service: Service, stop: AbortSignal): Promise<void> {
  const { adminUrl, tokenFile, opened, recorder } = service;
  context.note(
    [
      `status      ${adminUrl}/`,
      `ClickHouse  ${opened.clickhouse.endpoint}${opened.engine === undefined ? "" : " (embedded; anyone on this machine may read)"}`,
      `query it    ${queryLine(opened)}`,
      `write rows  curl -H "Authorization: Bearer $(cat ${tokenFile})" -H 'Content-Type: application/x-ndjson' \\`,
      `              ${adminUrl}/v1/ingest/orders --data-binary @orders.ndjson`,
      ...(recorder.hasMet
        ? []
        : [`ClickHouse does not answer. ${AWAY}`, `  ${recorder.stats().link.probeError}`]),
      "Ctrl-C stores what is held and ends.",
    ].join("\n"),
  );
  await untilAborted(stop);
  context.note("storing what is held …");
  const report = await service.close(CLOSE_DEADLINE_MS);
  context.result(closeSummary(report), report);
  const logged = rowsLogged(report);
  if (logged > 0) context.note(`${logged} rows are in the log: the next start stores them`);
  const left = rowsLeft(report);
  if (left === 0) return;
  context.note(`${left} rows were not stored within ${formatDuration(CLOSE_DEADLINE_MS)}`);
  process.exitCode = 1;
}

/** A command that shows what was recorded. A server may want a password, which only coldpath knows. */
function queryLine({ clickhouse, engine }: Service["opened"]): string {
  const { url, database } = clickhouse.options;
  const sql = `SELECT symbol, kind, count() AS rows, max(ts_exchange) AS last FROM ${database}.market_data GROUP BY ALL ORDER BY ALL`;
  if (engine === undefined) return `coldpath query '${sql}'`;
  return `curl -s '${url}/' --data-binary '${sql} FORMAT PrettyCompact'`;
}
