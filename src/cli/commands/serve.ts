import type { Command } from "commander";
import { ColdpathError } from "../../base/errors.js";
import { DAY_MS, formatDuration, MINUTE_MS, parseDuration } from "../../base/units.js";
import { type Service, startService } from "../../service/serve.js";
import { closeSummary, rowsLeft, rowsLogged } from "../close-summary.js";
import { Context, interruption } from "../context.js";
import { counted } from "../counted.js";
import { withExamples } from "../examples.js";
import { Hangup } from "../hangup.js";
import { leaveAtOnce } from "../leave-at-once.js";
import { untilAborted } from "../until-aborted.js";

/** What the recorder holds is stored within this after Ctrl-C, unless another time is given. */
export const CLOSE_DEADLINE_MS: number = MINUTE_MS / 2;
const DEMO_EVENTS_PER_SECOND = 1000;
/** A timer of Node that is longer than 2^31 ms strikes at once. */
const DURATION_MAX_MS: number = 24 * DAY_MS;

export function registerServe(program: Command): void {
  const serve = draining(program.command("serve"))
    .description("run the recorder with its HTTP intake in the foreground, until Ctrl-C")
    .action(async (options: Draining, command: Command) => {
      const context = new Context(command);
      const drainMs = drainOf(options);
      let service: Service | undefined;
      const stop = interruption(async () => service && (await leaveAtOnce(service.recorder)));
      const hangup = new Hangup();
      service = await startService(context.load(), () => context.read(), { mayBeAway: true });
      hangup.reloads(service.config);
      await run(context, service, AbortSignal.any([stop, hangup.left]), drainMs);
    });
  withExamples(serve, [
    ["coldpath serve", "as coldpath.yaml says"],
    ["coldpath serve --drain 5m", "with more time at the end for what is held"],
    ["coldpath serve --set admin.listen=127.0.0.1:0", "on any free port, which other commands find"],
  ]);
}

export function registerDemo(program: Command): void {
  const demo = draining(program.command("demo"))
    .option("--duration <time>", "end by itself after this, such as 20s")
    .option("--rate <n>", "simulated market events per second", String(DEMO_EVENTS_PER_SECOND))
    .description("serve with a simulated market as producer")
    .action(async (options: Draining & { duration?: string; rate: string }, command: Command) => {
      const context = new Context(command);
      const drainMs = drainOf(options);
      const rate = Number(options.rate);
      if (!(rate >= 1 && rate <= 100_000)) {
        throw new ColdpathError(
          "USAGE",
          `--rate ${options.rate}: expected events per second, from 1 to 100000`,
        );
      }
      let service: Service | undefined;
      const stop = interruption(async () => service && (await leaveAtOnce(service.recorder)));
      const extra = ["recorder.env=demo"];
      const hangup = new Hangup();
      const duration =
        options.duration === undefined ? undefined : durationOf("--duration", options.duration);
      service = await startService(context.load(extra), () => context.read(extra), { simulate: rate });
      context.note("a SIMULATED market is being recorded: symbols SIM-…, env demo, source simulator");
      hangup.reloads(service.config);
      const signals = [stop, hangup.left, ...(duration === undefined ? [] : [AbortSignal.timeout(duration)])];
      await run(context, service, AbortSignal.any(signals), drainMs);
    });
  withExamples(demo, [
    ["coldpath demo", "until Ctrl-C"],
    ["coldpath demo --duration 20s --rate 5000", "5000 events a second, for 20 s"],
  ]);
}

const AWAY = "Critical rows go to the log; nothing is stored before it answers and its tables were checked.";

interface Draining {
  readonly drain: string;
}

function draining(command: Command): Command {
  const meaning = "how long what is held may take to be stored at the end";
  return command.option("--drain <time>", meaning, formatDuration(CLOSE_DEADLINE_MS));
}

function drainOf({ drain }: Draining): number {
  return durationOf("--drain", drain);
}

/** @throws ColdpathError USAGE */
function durationOf(option: string, text: string): number {
  const duration = parseDuration(text);
  if (duration === undefined)
    throw new ColdpathError("USAGE", `${option} ${text}: expected a duration such as 20s or 5m`);
  if (duration > DURATION_MAX_MS)
    throw new ColdpathError(
      "USAGE",
      `${option} ${text}: expected ${formatDuration(DURATION_MAX_MS)} at most`,
    );
  return duration;
}

async function run(context: Context, service: Service, stop: AbortSignal, drainMs: number): Promise<void> {
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
  const time = formatDuration(drainMs);
  context.note(`storing what is held, for ${time} at most; a second signal ends it at once …`);
  const report = await service.close(drainMs);
  context.result(closeSummary(report), report);
  const logged = rowsLogged(report);
  if (logged > 0) context.note(`${counted(logged, "row")} in the log: the next start stores them`);
  const left = rowsLeft(report);
  if (left === 0) return;
  context.note(`${counted(left, "row")} not stored within ${time}`);
  process.exitCode = 1;
}

/** A command that shows what was recorded. A server may want a password, which only coldpath knows. */
function queryLine({ clickhouse, engine }: Service["opened"]): string {
  const { url, database } = clickhouse.options;
  const sql = `SELECT symbol, kind, count() AS rows, max(ts_exchange) AS last FROM ${database}.market_data GROUP BY ALL ORDER BY ALL`;
  if (engine === undefined) return `coldpath query '${sql}'`;
  return `curl -s '${url}/' --data-binary '${sql} FORMAT PrettyCompact'`;
}
