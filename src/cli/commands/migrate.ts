import type { Command } from "commander";
import { checkTables } from "../../schemas/compare.js";
import { type FileId, printMigrations, readMigrations } from "../../schemas/files.js";
import { type MigrationProgress, migrate } from "../../schemas/migrate.js";
import { openClickHouse } from "../../service/open.js";
import { Context } from "../context.js";

interface Options {
  readonly dryRun?: boolean;
  readonly print?: boolean;
}

export function registerMigrate(program: Command): void {
  program
    .command("migrate")
    .option("--dry-run", "say which files would be applied, change nothing")
    .option("--print", "print the statements and exit, without a ClickHouse")
    .description(
      "create or update the tables: apply the built-in SQL files and those of your schemas folders",
    )
    .action(async (options: Options, command: Command) => {
      const context = new Context(command);
      const { config } = context.load();
      if (options.print) {
        const migrations = readMigrations(config.schemas);
        context.result(printMigrations(migrations), { migrations });
        return;
      }
      const opened = await openClickHouse(config);
      try {
        const result = await migrate(opened.clickhouse, {
          userDirs: config.schemas,
          dryRun: options.dryRun === true,
          onProgress: (progress) => context.note(progressText(progress)),
        });
        if (!options.dryRun) await checkTables(opened.clickhouse);
        const verb = options.dryRun ? "would apply" : "applied";
        const lines = result.applied.map(
          ({ name, origin }) => `${verb} ${name}${origin === "user" ? " (yours)" : ""}`,
        );
        const warnings = result.unknown.map(unknownText);
        context.result(
          [...(lines.length > 0 ? lines : ["nothing to apply"]), ...warnings].join("\n"),
          result,
        );
      } finally {
        await opened.close();
      }
    });
}

function unknownText({ name, origin }: FileId): string {
  const lack = origin === "user" ? "no configured schemas folder has it" : "this version does not have it";
  return `${name} is applied there, but ${lack}`;
}

function progressText({ name, statement, statements, state }: MigrationProgress): string {
  return `${name} ${statement}/${statements} ${state}`;
}
