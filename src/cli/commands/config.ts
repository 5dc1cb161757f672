import type { Command } from "commander";
import { tableText } from "../../base/table-text.js";
import { showConfig } from "../../config/show.js";
import { assumedColumns } from "../../service/assumed-columns.js";
import { requirePolicyColumns } from "../../service/policy-columns.js";
import { Context } from "../context.js";
import { withExamples } from "../examples.js";

export function registerConfig(program: Command): void {
  const config = program.command("config").description("check or show the configuration");
  const check = config
    .command("check")
    .description("check the configuration and report every mistake at once; touches nothing")
    .action((_options, command: Command) => {
      const context = new Context(command);
      const { config: loaded, warnings } = context.load();
      requirePolicyColumns(loaded.tables, assumedColumns(loaded));
      context.result("the configuration is fine", { ok: true, warnings });
    });
  const show = config
    .command("show")
    .description("show every effective value, where it came from, secrets hidden")
    .action((_options, command: Command) => {
      const context = new Context(command);
      const values = showConfig(context.load());
      const rows = values.map(({ path, value, origin }) => [path, value ?? "-", origin]);
      context.result(tableText(["key", "value", "from"], rows), { values });
    });
  withExamples(check, [
    ["coldpath config check", "coldpath.yaml, the environment and their sense together"],
    ["coldpath --config new.yaml config check", "a file that is not in force yet"],
  ]);
  withExamples(show, [["coldpath config show", "what is in force, and which line or variable says so"]]);
  withExamples(config, [["coldpath config check", "before a restart"]]);
}
