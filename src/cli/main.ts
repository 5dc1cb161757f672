#!/usr/bin/env node
import { readFileSync } from "node:fs";
import { Command, CommanderError } from "commander";
import { ColdpathError, type ErrorCode, messageOf } from "../base/errors.js";

/** Each is loaded when the command line names it: what `serve` needs takes longer to load than `init` to run. */
const COMMANDS: ReadonlyMap<string, () => Promise<(program: Command) => void>> = new Map([
  ["init", async () => (await import("./commands/init.js")).registerInit],
  ["serve", async () => (await import("./commands/serve.js")).registerServe],
  ["demo", async () => (await import("./commands/serve.js")).registerDemo],
  ["ingest", async () => (await import("./commands/ingest.js")).registerIngest],
  ["db", async () => (await import("./commands/db.js")).registerDb],
  ["query", async () => (await import("./commands/query.js")).registerQuery],
  ["dead-letter", async () => (await import("./commands/dead-letter.js")).registerDeadLetter],
  ["status", async () => (await import("./commands/status.js")).registerStatus],
  ["replay", async () => (await import("./commands/replay.js")).registerReplay],
  ["wal", async () => (await import("./commands/wal.js")).registerWal],
  ["migrate", async () => (await import("./commands/migrate.js")).registerMigrate],
  ["config", async () => (await import("./commands/config.js")).registerConfig],
]);

/** Failures of the caller's wording, as against failures of the work: exit code 2. */
const USAGE_CODES: ReadonlySet<ErrorCode> = new Set([
  "USAGE",
  "CONFIG_INVALID",
  "MAPPING_INVALID",
  "TABLE_UNKNOWN",
]);

async function buildProgram(argv: readonly string[]): Promise<Command> {
  const { version } = JSON.parse(readFileSync(new URL("../../../package.json", import.meta.url), "utf8")) as {
    version: string;
  };
  const program = new Command("coldpath")
    .description("flight recorder for trading systems: events off the hot path, into ClickHouse")
    .version(version)
    .option("-c, --config <file>", "configuration file (default: ./coldpath.yaml if there is one)")
    .option("--set <key=value>", "override one configuration key; repeatable", collect, [])
    .option("--json", "results as JSON with stable keys")
    .option("--debug", "show a stack with errors")
    .showHelpAfterError("run with --help for usage")
    .exitOverride();
  // Without a known one the program lists or suggests them all.
  const named = argv.filter((arg) => COMMANDS.has(arg));
  for (const [name, load] of COMMANDS) {
    if (named.length === 0 || named.includes(name)) (await load())(program);
  }
  inheritSettings(program);
  return program;
}

function collect(value: string, previous: readonly string[]): readonly string[] {
  return [...previous, value];
}

/** Usage errors of subcommands must end in {@link main}, too, not in an exit of the library's. */
function inheritSettings(command: Command): void {
  for (const child of command.commands) {
    child.copyInheritedSettings(command);
    inheritSettings(child);
  }
}

function exitCodeOf(error: unknown): 0 | 1 | 2 {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  return error instanceof ColdpathError && USAGE_CODES.has(error.code) ? 2 : 1;
}

/** One line says what went wrong; the stack only on demand. */
function report(error: unknown, argv: readonly string[]): void {
  // Commander has printed its own line already.
  if (error instanceof CommanderError) return;
  if (argv.includes("--json")) {
    const code = error instanceof ColdpathError ? error.code : "INTERNAL";
    process.stderr.write(`${JSON.stringify({ error: { code, message: messageOf(error) } })}\n`);
  } else {
    process.stderr.write(`coldpath: ${withoutGrammar(messageOf(error))}\n`);
  }
  if (argv.includes("--debug") && error instanceof Error) process.stderr.write(`${error.stack}\n`);
}

/** ClickHouse follows a syntax error with all words of its grammar that would have fitted. */
function withoutGrammar(message: string): string {
  return message.replace(/ Expected one of: .*(?= \(SYNTAX_ERROR\))/s, "");
}

// Whoever reads may have enough before the end, as `head` does; what was written after that is nobody's loss.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
});

try {
  const program = await buildProgram(process.argv);
  await program.parseAsync();
} catch (error) {
  report(error, process.argv);
  process.exitCode = exitCodeOf(error);
}
