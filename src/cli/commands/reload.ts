import type { Command } from "commander";
import { ColdpathError } from "../../base/errors.js";
import { tableText } from "../../base/table-text.js";
import type { ReloadReport } from "../../config/reload.js";
import { Context } from "../context.js";
import { withExamples } from "../examples.js";
import { RunningService } from "../running-service.js";

export function registerReload(program: Command): void {
  const reload = program
    .command("reload")
    .description("have the running service read its configuration again, and show what of it holds now")
    .action(async (_options, command: Command) => {
      const context = new Context(command);
      const service = new RunningService(context.load());
      const report = (await service.ask("POST", "/api/reload")) as ReloadReport | undefined;
      if (report === undefined)
        throw new ColdpathError(
          "SERVICE_ABSENT",
          `no recorder answers at ${service.url}: its start reads it`,
        );
      context.result(text(report), { service: service.url, ...report });
    });
  withExamples(reload, [["coldpath reload", "after a change of coldpath.yaml"]]);
}

function text({ applied, needsRestart }: ReloadReport): string {
  if (applied.length + needsRestart.length === 0) return "nothing has changed";
  const rows = [
    ...applied.map((change) => ({ ...change, holds: "now" })),
    ...needsRestart.map((change) => ({ ...change, holds: `after a restart: ${change.reason}` })),
  ];
  return tableText(
    ["key", "from", "to", "holds"],
    rows.map(({ path, from, to, holds }) => [path, from ?? "-", to ?? "-", holds]),
  );
}
