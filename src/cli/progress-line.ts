import type { Context } from "./context.js";

const PLAIN_INTERVAL_MS = 5000;

/** Progress of long work: one line that rewrites itself on a terminal, a line every few seconds elsewhere. */
export class ProgressLine {
  readonly #context: Context;
  readonly #isTerminal: boolean = process.stderr.isTTY;
  #toldAt = performance.now();
  #isOpen = false;

  constructor(context: Context) {
    this.#context = context;
  }

  show(text: string): void {
    if (this.#context.json) return;
    if (this.#isTerminal) {
      this.#isOpen = true;
      process.stderr.write(`\r\u001b[K${text.slice(0, (process.stderr.columns ?? 80) - 1)}`);
    } else if (performance.now() - this.#toldAt >= PLAIN_INTERVAL_MS) {
      this.#toldAt = performance.now();
      this.#context.note(text);
    }
  }

  end(): void {
    if (this.#isOpen) process.stderr.write("\r\u001b[K");
    this.#isOpen = false;
  }
}
