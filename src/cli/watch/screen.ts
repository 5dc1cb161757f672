const ALTERNATE = "\u001b[?1049h";
const FIRST = "\u001b[?1049l";
const HIDE_CURSOR = "\u001b[?25l";
const SHOW_CURSOR = "\u001b[?25h";
/** A line that is wider than thought must not move those below it. */
const NO_WRAP = "\u001b[?7l";
const WRAP = "\u001b[?7h";
const HOME = "\u001b[H";
const CLEAR_TO_END_OF_LINE = "\u001b[K";

export interface ScreenEvents {
  /** The person asks for the end. */
  readonly onQuit: () => void;
  /** The screen has another size, or is to be drawn anew. */
  readonly onRedraw: () => void;
}

/** The terminal's other screen, which leaves the first one as it was. However the process ends, short of SIGKILL, the terminal is restored. */
export class Screen {
  readonly #events: ScreenEvents;
  readonly #restore = (): void => this.leave();
  readonly #redraw = (): void => this.#events.onRedraw();
  readonly #key = (typed: Buffer): void => this.#pressed(typed.toString());
  readonly #back = (): void => {
    this.#switch();
    this.#events.onRedraw();
  };
  #isIn = false;

  constructor(events: ScreenEvents) {
    this.#events = events;
  }

  enter(): void {
    // Runs at every end of the process, that by an error nobody expected included.
    process.on("exit", this.#restore);
    process.on("SIGCONT", this.#back);
    // The terminal's window was closed.
    process.on("SIGHUP", this.#events.onQuit);
    process.stdout.on("resize", this.#redraw);
    process.stdin.on("data", this.#key);
    this.#switch();
  }

  get size(): { readonly columns: number; readonly rows: number } {
    // A terminal may not know its size.
    return { columns: process.stdout.columns || 80, rows: process.stdout.rows || 24 };
  }

  draw(lines: readonly string[]): void {
    if (!this.#isIn) return;
    process.stdout.write(HOME + lines.map((line) => CLEAR_TO_END_OF_LINE + line).join("\r\n"));
  }

  leave(): void {
    process.off("exit", this.#restore);
    process.off("SIGCONT", this.#back);
    process.off("SIGHUP", this.#events.onQuit);
    process.stdout.off("resize", this.#redraw);
    process.stdin.off("data", this.#key);
    this.#giveBack();
    process.stdin.pause();
  }

  #switch(): void {
    if (process.stdin.isTTY) process.stdin.setRawMode(true);
    process.stdin.resume();
    process.stdout.write(ALTERNATE + HIDE_CURSOR + NO_WRAP);
    this.#isIn = true;
  }

  #giveBack(): void {
    if (!this.#isIn) return;
    this.#isIn = false;
    process.stdout.write(WRAP + SHOW_CURSOR + FIRST);
    if (process.stdin.isTTY) process.stdin.setRawMode(false);
  }

  /** Raw keys: the terminal makes no signals of them now. */
  #pressed(keys: string): void {
    for (const key of keys) {
      if (key === "q" || key === "Q" || key === "\u0003" || key === "\u0004") this.#events.onQuit();
      if (key === "\u000c") this.#events.onRedraw();
      if (key === "\u001a") {
        this.#giveBack();
        process.kill(process.pid, "SIGTSTP");
      }
    }
  }
}
