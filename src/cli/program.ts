import { Command } from "commander";
import { COLOURED } from "../base/paint.js";
import { packageVersion } from "../base/version.js";
import { withExamples } from "./examples.js";

/** Adds a command; some want to know all others. */
type Register = (program: Command, wholeProgram: () => Promise<Command>) => void;

/** Each is loaded when the command line names it: what `serve` needs takes longer to load than `init` to run. */
const COMMANDS: ReadonlyMap<string, () => Promise<Register>> = new Map<string, () => Promise<Register>>([
  ["init", async () => (await import("./commands/init.js")).registerInit],
  ["serve", async () => (await import("./commands/serve.js")).registerServe],
  ["demo", async () => (await import("./commands/serve.js")).registerDemo],
  ["ingest", async () => (await import("./commands/ingest.js")).registerIngest],
  ["db", async () => (await import("./commands/db.js")).registerDb],
  ["query", async () => (await import("./commands/query.js")).registerQuery],
  ["status", async () => (await import("./commands/status.js")).registerStatus],
  ["flush", async () => (await import("./commands/flush.js")).registerFlush],
  ["reload", async () => (await import("./commands/reload.js")).registerReload],
  ["replay", async () => (await import("./commands/replay.js")).registerReplay],
  ["wal", async () => (await import("./commands/wal.js")).registerWal],
  ["dead-letter", async () => (await import("./commands/dead-letter.js")).registerDeadLetter],
  ["migrate", async () => (await import("./commands/migrate.js")).registerMigrate],
  ["config", async () => (await import("./commands/config.js")).registerConfig],
  ["completion", async () => (await import("./commands/completion.js")).registerCompletion],
]);

/** The command line with those of its commands that are named there, or with all if none is: then it lists or suggests them. */
export async function buildProgram(words: readonly string[] = []): Promise<Command> {
  const program = new Command("coldpath")
    .description("flight recorder for trading systems: events off the hot path, into ClickHouse")
    .version(packageVersion())
    .option("-c, --config <file>", "configuration file (default: ./coldpath.yaml if there is one)")
    .option("--set <key=value>", "override one configuration key; repeatable", collect)
    .option("--json", "results as JSON with stable keys")
    .option("--debug", "show a stack with errors")
    .showHelpAfterError("run with --help for usage")
    // Colours go again where the help is not printed on a terminal.
    .configureHelp({ showGlobalOptions: true, styleTitle: COLOURED.strong })
    .exitOverride();
  // What is wrong with the words is told as JSON then, too, by whoever catches it.
  if (words.includes("--json")) program.configureOutput({ writeErr: () => {} });
  const named = words.filter((word) => COMMANDS.has(word));
  for (const [name, load] of COMMANDS) {
    if (named.length === 0 || named.includes(name)) (await load())(program, buildProgram);
  }
  withExamples(program, [
    ["coldpath demo --duration 20s", "see it work, with a simulated market"],
    ["coldpath status --watch", "where every table of the running service stands, live"],
    ["coldpath ingest orders.ndjson --table orders", "record a file"],
  ]);
  inheritSettings(program);
  return program;
}

function collect(value: string, previous: readonly string[] = []): readonly string[] {
  return [...previous, value];
}

/** Usage errors of subcommands must end where the program's do, too, not in an exit of the library's. */
function inheritSettings(command: Command): void {
  for (const child of command.commands) {
    child.copyInheritedSettings(command);
    inheritSettings(child);
  }
}
