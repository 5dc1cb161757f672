import { setTimeout as sleep } from "node:timers/promises";
import type { Command } from "commander";
import { statusText } from "../../admin/status-text.js";
import { ColdpathError } from "../../base/errors.js";
import { SECOND_MS } from "../../base/units.js";
import type { Config } from "../../config/schema.js";
import type { RecorderStats } from "../../recorder.js";
import { Context, interruption } from "../context.js";
import { withExamples } from "../examples.js";
import { filesAtRest, restText } from "../files-at-rest.js";
import { paintFor } from "../paint-for.js";
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
      const loaded = context.load();
      const service = new RunningService(loaded);
      if (!watch) return await showOnce(service, loaded.config, context);
      const signal = interruption();
      if (process.stdout.isTTY && !context.json) return watchStatus(service, signal);
      while (!signal.aborted) {
        show((await statusOf(service)) ?? absent(service), context);
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

/** Undefined if none runs. */
async function statusOf(service: RunningService): Promise<RecorderStats | undefined> {
  return (await service.ask("GET", "/api/status")) as RecorderStats | undefined;
}

/** Without a service what its files hold is told, and that it is a failure. */
async function showOnce(service: RunningService, config: Config, context: Context): Promise<void> {
  const status = await statusOf(service);
  if (status !== undefined) {
    if (service.isForeign)
      context.note(
        `no service runs in ${config.data_dir}; this one, at ${service.url}, has its files elsewhere`,
      );
    return show(status, context);
  }
  const files = await filesAtRest(config);
  const text = restText(files);
  if (text !== undefined) context.result(text, { service: null, files });
  absent(service);
}

/** @throws ColdpathError SERVICE_ABSENT */
function absent(service: RunningService): never {
  const hint = "start one with coldpath serve, or name its address with --set admin.listen=HOST:PORT";
  throw new ColdpathError("SERVICE_ABSENT", `no recorder answers at ${service.url}: ${hint}`);
}

function show(status: RecorderStats, context: Context): void {
  context.result(statusText(status, paintFor("out")), status);
}
