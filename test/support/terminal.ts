import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "./folder.js";
import { until } from "./until.js";

/** Why a test that needs a program is skipped; false if the program is there. */
export function absent(program: string, flag = "--version"): string | false {
  return spawnSync(program, [flag]).error === undefined ? false : `${program} is not installed`;
}

/** A program in a real terminal, as tmux gives it one; see {@link absent}. */
export class Terminal {
  readonly #socket: string;

  private constructor(socket: string) {
    this.#socket = socket;
  }

  /** Ends with the test, and the program with it. */
  static async start(
    t: { after: (fn: () => void) => void },
    command: readonly string[],
    { columns = 80, rows = 24, cwd = ".", env = {} as Readonly<Record<string, string>> } = {},
  ): Promise<Terminal> {
    const terminal = new Terminal(join(await temporaryFolder(t), "tmux"));
    const set = Object.entries(env).flatMap(([key, value]) => ["-e", `${key}=${value}`]);
    // What the tests' own output asks for is not what people have.
    const asUsual = ["env", ...["NO_COLOR", "FORCE_COLOR"].flatMap((key) => (key in env ? [] : ["-u", key]))];
    const size = ["-x", `${columns}`, "-y", `${rows}`];
    t.after(() => void spawnSync("tmux", ["-S", terminal.#socket, "kill-server"]));
    terminal.#tmux(
      "-f",
      "/dev/null",
      "new-session",
      "-d",
      ...size,
      "-c",
      cwd,
      ...set,
      "--",
      ...asUsual,
      ...command,
    );
    // What stands there at the end can be looked at.
    terminal.#tmux("set-option", "-g", "remain-on-exit", "on");
    return terminal;
  }

  /** What a person sees; with colours as escape sequences if wanted. */
  screen({ colours = false } = {}): string {
    return this.#tmux("capture-pane", "-p", ...(colours ? ["-e"] : []));
  }

  /** Names of keys (`Enter`, `Tab`, `C-c`) or text. */
  keys(...keys: string[]): void {
    this.#tmux("send-keys", ...keys);
  }

  resize(columns: number, rows: number): void {
    this.#tmux("resize-window", "-x", `${columns}`, "-y", `${rows}`);
  }

  /** Process id of the program that the keys go to: the only child of the shell that was started. */
  get foreground(): number {
    const shell = this.#tmux("display-message", "-p", "#{pane_pid}").trim();
    return Number(readFileSync(`/proc/${shell}/task/${shell}/children`, "utf8").trim());
  }

  /** Whether the program has switched to the other screen, whose end gives the first one back. */
  get isAlternate(): boolean {
    return this.#tmux("display-message", "-p", "#{alternate_on}").trim() === "1";
  }

  get hasCursor(): boolean {
    return this.#tmux("display-message", "-p", "#{cursor_flag}").trim() === "1";
  }

  /** Waits until the screen shows it. */
  async shows(pattern: RegExp): Promise<string> {
    let seen = "";
    const found = (): boolean => {
      seen = this.screen();
      return pattern.test(seen);
    };
    await until(`${pattern} on the screen`, found).catch((error: unknown) => {
      throw new Error(`the screen does not show ${pattern}:\n${seen}`, { cause: error });
    });
    return seen;
  }

  #tmux(...args: string[]): string {
    const { status, stdout, stderr } = spawnSync("tmux", ["-S", this.#socket, ...args], { encoding: "utf8" });
    if (status !== 0) throw new Error(`tmux ${args.join(" ")}: ${stderr}`);
    return stdout;
  }
}
