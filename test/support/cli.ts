import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

export const PROGRAM: string = fileURLToPath(new URL("../../src/cli/main.js", import.meta.url));

export interface CliRun {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A running `coldpath`; end it with {@link stop}. */
export class CliProcess {
  readonly child: ChildProcess;
  stdout = "";
  stderr = "";
  readonly #exited: Promise<unknown>;

  constructor(args: readonly string[], cwd: string, env: Readonly<Record<string, string>> = {}) {
    this.child = spawn(process.execPath, [PROGRAM, ...args], {
      cwd,
      env: { ...process.env, NO_COLOR: "1", ...env },
      stdio: ["pipe", "pipe", "pipe"],
    });
    this.#exited = once(this.child, "close");
    this.child.stdout!.setEncoding("utf8").on("data", (text: string) => {
      this.stdout += text;
    });
    this.child.stderr!.setEncoding("utf8").on("data", (text: string) => {
      this.stderr += text;
    });
  }

  /** The first match in what was printed so far or will be; fails if the process ends without it. */
  async printed(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.stdout) ?? pattern.exec(this.stderr);
      if (match !== null) return match;
      if (this.child.exitCode !== null || this.child.signalCode !== null) {
        throw new Error(`ended without printing ${pattern}:\n${this.stdout}${this.stderr}`);
      }
      await Promise.race([once(this.child.stdout!, "data"), once(this.child.stderr!, "data"), this.#exited]);
    }
  }

  async ended(): Promise<CliRun> {
    await this.#exited;
    return { code: this.child.exitCode, stdout: this.stdout, stderr: this.stderr };
  }

  /** Ctrl-C, then its end. */
  async stop(): Promise<CliRun> {
    this.child.kill("SIGINT");
    return await this.ended();
  }
}

/** Runs `coldpath` to its end; `input` goes to standard input. */
export async function cli(args: readonly string[], cwd: string, input = ""): Promise<CliRun> {
  const running = new CliProcess(args, cwd);
  running.child.stdin!.end(input);
  return await running.ended();
}
