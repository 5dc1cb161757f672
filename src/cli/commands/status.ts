import { setTimeout as sleep } from "node:timers/promises";
import type { Command } from "commander";
import { statusText } from "../../admin/status-text.js";
import { ColdpathError } from "../../base/errors.js";
import { SECOND_MS } from "../../base/units.js";
import type { RecorderStats } from "../../recorder.js";
import { Context, interruption } from "../context.js";
import { withExamples } from "../examples.js";
import { RunningService } from "../running-service.js";
import { watchStatus } from "../watch/watch.js";

const LOOK_MS: number = SECOND_MS;

export function registerStatus(program: Command): void {
  const status = program
    .command("status")
    .option("--watch", "live, until q or Ctrl-C; with --json one line a second")
    .description("where the tables of the running service stand: rows, queues, drops, the log, the spool")
    .action(async ({ watch = false }: { readonly watch?: boolean }, command: Command) => {
      const context = new Context(command);
      const service = new RunningService(context.load());
      if (!watch) return show(await statusOf(service), context);
      const signal = interruption();
      if (process.stdout.isTTY && !context.json) return watchStatus(service, signal);
      while (!signal.aborted) {
        const status = await statusOf(service);
        show(status, context);
        // Interrupted: the loop ends.
        await sleep(LOOK_MS, undefined, { signal }).catch(() => {});
      }
    });
  withExamples(status, [
    ["coldpath status", "once"],
    ["coldpath status --watch", "live, until q or Ctrl-C"],
    ["coldpath status --json --watch", "one line of JSON a second, for programs"],
  ]);
}

/** @throws ColdpathError SERVICE_ABSENT if none runs */
async function statusOf(service: RunningService): Promise<RecorderStats> {
  const status = await service.ask("GET", "/api/status");
  if (status !== undefined) return status as RecorderStats;
  const hint = "start one with coldpath serve, or name its address with --set admin.listen=HOST:PORT";
  throw new ColdpathError("SERVICE_ABSENT", `no recorder answers at ${service.url}: ${hint}`);
}

function show(status: RecorderStats, context: Context): void {
  context.result(statusText(status), status);
}
