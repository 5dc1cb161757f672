import type { Command } from "commander";

/** A command line that works, and what it does. */
export type Example = readonly [line: string, does: string];

const EXAMPLES = new WeakMap<Command, readonly Example[]>();

/** Adds examples to the help of a command. */
export function withExamples(command: Command, examples: readonly Example[]): Command {
  EXAMPLES.set(command, examples);
  const lines = examples.map(([line, does]) => `  # ${does}\n  ${line}`);
  return command.addHelpText("after", `\nExamples:\n${lines.join("\n")}`);
}

/** Those that {@link withExamples} gave the command. */
export function examplesOf(command: Command): readonly Example[] {
  return EXAMPLES.get(command) ?? [];
}
