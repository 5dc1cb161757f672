import type { Command } from "commander";
import { ColdpathError } from "../../base/errors.js";
import type { ClickHouse } from "../../clickhouse/client.js";
import { ClickHouseError } from "../../clickhouse/error.js";
import type { Config } from "../../config/schema.js";
import type { ClusterTarget } from "../../schemas/cluster/names.js";
import { renderForCluster } from "../../schemas/cluster/render.js";
import { checkTables, SchemaMismatchError } from "../../schemas/compare.js";
import { type FileId, printMigrations, readMigrations } from "../../schemas/files.js";
import { requireRights } from "../../schemas/grants/check.js";
import { printGrants } from "../../schemas/grants/print.js";
import { ROLES, rightsOf } from "../../schemas/grants/rights.js";
import { type MigrationProgress, migrate } from "../../schemas/migrate.js";
import { openClickHouse, placeOf } from "../../service/open.js";
import { Context } from "../context.js";
import { withExamples } from "../examples.js";

interface Options {
  readonly dryRun?: boolean;
  readonly print?: boolean;
  readonly printGrants?: boolean;
}

export function registerMigrate(program: Command): void {
  const command = program
    .command("migrate")
    .option("--dry-run", "say which files would be applied, change nothing")
    .option("--print", "print the statements and exit, without a ClickHouse")
    .option("--print-grants", "print SQL for users with the least rights and exit, without a ClickHouse")
    .description(
      "create or update the tables: apply the built-in SQL files and those of your schemas folders; with clickhouse.cluster only print or compare",
    )
    .action(async (options: Options, command: Command) => {
      const context = new Context(command);
      const { config } = context.load();
      const target = clusterTarget(config);
      if (options.print) {
        const plain = readMigrations(config.schemas);
        const migrations = target === undefined ? plain : renderForCluster(plain, target);
        context.result(printMigrations(migrations), { migrations });
        return;
      }
      if (options.printGrants) {
        const place = placeOf(config);
        const roles = ROLES.map((role) => ({ role, rights: rightsOf(role, place) }));
        context.result(printGrants(place), { roles });
        return;
      }
      const opened = await openClickHouse(config);
      try {
        if (target !== undefined) {
          await compareCluster(opened.clickhouse, target);
          context.result("the tables are what is expected; on a cluster migrate only compares", {
            applied: [],
            unknown: [],
          });
          return;
        }
        const isServer = opened.engine === undefined;
        if (isServer && !options.dryRun) await requireRights(opened.clickhouse, "migrator", placeOf(config));
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
  withExamples(command, [
    ["coldpath migrate --dry-run", "what would be applied"],
    ["coldpath migrate", "apply it"],
    ["coldpath migrate --print-grants", "SQL for users with the least rights"],
  ]);
}

const UNKNOWN_DATABASE = 81;

/** Where the tables go if a cluster is configured. */
function clusterTarget({ clickhouse }: Config): ClusterTarget | undefined {
  const { cluster, database, keeper_path: keeperPath, replica_name: replica } = clickhouse;
  return cluster === undefined ? undefined : { cluster, database, keeperPath, replica };
}

/** Statements that nobody has run on a cluster yet are not applied behind anyone's back. */
async function compareCluster(clickhouse: ClickHouse, { cluster }: ClusterTarget): Promise<void> {
  try {
    await checkTables(clickhouse);
  } catch (cause) {
    const isAbsent = cause instanceof ClickHouseError && cause.clickhouseCode === UNKNOWN_DATABASE;
    if (!(cause instanceof SchemaMismatchError || isAbsent)) throw cause;
    throw new ColdpathError(
      "SCHEMA_MISMATCH",
      `migrate applies nothing on cluster ${cluster}: read what coldpath migrate --print says and run it with ` +
        `clickhouse-client as one session. What differs now: ${cause.message}`,
      { cause },
    );
  }
}

function unknownText({ name, origin }: FileId): string {
  const lack = origin === "user" ? "no configured schemas folder has it" : "this version does not have it";
  return `${name} is applied there, but ${lack}`;
}

function progressText({ name, statement, statements, state }: MigrationProgress): string {
  return `${name} ${statement}/${statements} ${state}`;
}
