import type { Argument, Command, Option } from "commander";
import { KEYS } from "../../config/keys.js";

/** What may stand in a place of the command line: one of these words, or something that the shell or nobody knows. */
export type Value = readonly string[] | "file" | "folder" | "setting" | "text";

/** A word that may be completed, and what it means. */
export interface Word {
  readonly word: string;
  readonly means: string;
}

/** An option with its long and its short form. */
export interface CompletedOption {
  readonly words: readonly string[];
  readonly means: string;
  /** Undefined if it takes none. */
  readonly value: Value | undefined;
}

/** What may follow a command. */
export interface CompletedCommand {
  /** The words that call it, without the program's: `wal ls`. */
  readonly at: string;
  readonly commands: readonly Word[];
  readonly options: readonly CompletedOption[];
  readonly operand: Value;
}

/** Tables that every installation has. */
const TABLES: readonly string[] = KEYS.flatMap(({ path }) => /^tables\.(\w+)\.class$/.exec(path)?.[1] ?? []);

/** What `--set` takes, but for keys of tables of the user's own. */
export const SETTINGS: readonly string[] = KEYS.filter(
  ({ path, secret }) => !path.includes("*") && secret !== true,
).map(({ path }) => path);

/** The program and all commands below it, as the library that parses them knows them. */
export function commandTree(command: Command, path: readonly string[] = []): CompletedCommand[] {
  const help = command.createHelp();
  const subcommands = help.visibleCommands(command);
  const own: CompletedCommand = {
    at: path.join(" "),
    commands: subcommands.map((each) => ({ word: each.name(), means: firstPart(each.description()) })),
    options: [...help.visibleOptions(command), ...help.visibleGlobalOptions(command)].map(optionOf),
    operand: operandOf(command.registeredArguments[0]),
  };
  return [own, ...command.commands.flatMap((each) => commandTree(each, [...path, each.name()]))];
}

function optionOf(option: Option): CompletedOption {
  return {
    words: [option.long, option.short].filter((word) => word !== undefined),
    means: firstPart(option.description),
    value: option.required || option.optional ? takenBy(option) : undefined,
  };
}

function takenBy({ argChoices, flags, long }: Option): Value {
  if (argChoices !== undefined) return argChoices;
  if (long === "--table") return TABLES;
  if (flags.endsWith("<key=value>")) return "setting";
  return flags.endsWith("<file>") ? "file" : flags.endsWith("<folder>") ? "folder" : "text";
}

function operandOf(argument: Argument | undefined): Value {
  if (argument === undefined) return [];
  if (argument.argChoices !== undefined) return argument.argChoices;
  const kinds: Readonly<Record<string, Value>> = { files: "file", dir: "folder", table: TABLES };
  return kinds[argument.name()] ?? "text";
}

/** Shells show it beside the word. */
function firstPart(description: string): string {
  return description.split(/[;:(]/, 1)[0]!.trim();
}
