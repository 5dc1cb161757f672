import { Argument, type Command } from "commander";
import { bashCompletion } from "../completion/bash.js";
import { fishCompletion } from "../completion/fish.js";
import { type CompletedCommand, commandTree } from "../completion/tree.js";
import { zshCompletion } from "../completion/zsh.js";
import { Context } from "../context.js";
import { withExamples } from "../examples.js";

const SCRIPTS: Readonly<Record<string, (tree: readonly CompletedCommand[]) => string>> = {
  bash: bashCompletion,
  zsh: zshCompletion,
  fish: fishCompletion,
};

/** @param wholeProgram the program with all commands, of which only this one may have been loaded */
export function registerCompletion(program: Command, wholeProgram: () => Promise<Command>): void {
  const completion = program
    .command("completion")
    .addArgument(new Argument("<shell>", "which shell").choices(Object.keys(SCRIPTS)))
    .description("print a script that completes commands, options, tables and configuration keys in a shell")
    .action(async (shell: string, _options, command: Command) => {
      const script = SCRIPTS[shell]!(commandTree(await wholeProgram()));
      new Context(command).result(script, { shell, script });
    });
  withExamples(completion, [
    ["source <(coldpath completion bash)", "in ~/.bashrc; zsh the same, in ~/.zshrc behind compinit"],
    ["coldpath completion zsh > ~/.zfunc/_coldpath", "or into a folder of zsh's fpath"],
    ["coldpath completion fish > ~/.config/fish/completions/coldpath.fish", "fish"],
  ]);
}
