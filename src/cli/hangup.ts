import { isatty } from "node:tty";

const STANDARD_ERROR = 2;

/**
 * SIGHUP reloads the configuration. From a terminal that was closed it means that nobody is there any more and nothing can be written to
 * it: then it is a Ctrl-C. To be made before anything else: unhandled, the signal would end the process.
 */
export class Hangup {
  readonly #hadTerminal: boolean = isatty(STANDARD_ERROR);
  readonly #left = new AbortController();
  #reload: ((by: string) => unknown) | undefined;
  #isAsked = false;

  constructor() {
    process.on("SIGHUP", () => {
      if (this.#hadTerminal && !isatty(STANDARD_ERROR)) this.#left.abort();
      else this.#isAsked = true;
      this.#look();
    });
  }

  /** Aborts when the terminal was closed. */
  get left(): AbortSignal {
    return this.#left.signal;
  }

  /** What is reloaded from now on; at once if that was asked for before. */
  reloads(config: { reload(by: string): unknown }): void {
    this.#reload = (by) => config.reload(by);
    this.#look();
  }

  #look(): void {
    if (!this.#isAsked || this.#reload === undefined) return;
    this.#isAsked = false;
    try {
      this.#reload("SIGHUP");
    } catch {
      // The service has told why in its log, and goes on with what is in force.
    }
  }
}
