import type { Command } from "commander";
import { type LoadedConfig, loadConfig } from "../config/load.js";

/** Options that every command takes. */
export interface GlobalOptions {
  readonly config?: string;
  readonly set?: readonly string[];
  readonly json?: boolean;
  readonly debug?: boolean;
}

/** What a command needs of the world: its options, the configuration, and where its output goes. */
export class Context {
  readonly options: GlobalOptions;

  constructor(command: Command) {
    this.options = command.optsWithGlobals();
  }

  get json(): boolean {
    return this.options.json === true;
  }

  /** The configuration as it is now. @throws ConfigError */
  read(extra: readonly string[] = []): LoadedConfig {
    return loadConfig({
      file: this.options.config,
      env: process.env,
      set: [...(this.options.set ?? []), ...extra],
      cwd: process.cwd(),
    });
  }

  /** The same, and people are told what is not right in it though it is allowed. */
  load(extra: readonly string[] = []): LoadedConfig {
    const loaded = this.read(extra);
    for (const warning of loaded.warnings) this.note(`warning: ${warning}`);
    return loaded;
  }

  /** The result of a command: text for people, or its `--json` twin, on standard output. */
  result(text: string, json: unknown): void {
    process.stdout.write(this.json ? `${JSON.stringify(json)}\n` : text.endsWith("\n") ? text : `${text}\n`);
  }

  /** What happens meanwhile, for people, on standard error; silent with `--json`. */
  note(text: string): void {
    if (!this.json) process.stderr.write(`${text}\n`);
  }
}

/**
 * A signal that aborts at the first Ctrl-C or SIGTERM; a second one ends the process at once, a third one in any case.
 * @param leave what has to be done even then
 */
export function interruption(leave: () => Promise<void> = async () => {}): AbortSignal {
  const controller = new AbortController();
  let isLeaving = false;
  const stop = (name: NodeJS.Signals): void => {
    if (!controller.signal.aborted) {
      controller.abort(name);
      return;
    }
    const exit = (): never => process.exit(name === "SIGINT" ? 130 : 143);
    if (isLeaving) exit();
    isLeaving = true;
    void leave().finally(exit);
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
  return controller.signal;
}
