import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";

/** A forked program of the torture, to be killed. */
export class Victim {
  readonly #child: ChildProcess;
  readonly #told: unknown[] = [];
  readonly #ended: Promise<unknown>;
  #output = "";

  /**
   * @param args what the program is started with
   * @param crashAt `name:nth` of the point where it has to die by itself
   */
  constructor(
    program: URL,
    args: readonly string[],
    env: Readonly<Record<string, string>>,
    crashAt?: string,
  ) {
    this.#child = fork(program, args, {
      execArgv: [...process.execArgv, "--expose-gc"],
      env: { ...process.env, ...env, ...(crashAt === undefined ? {} : { COLDPATH_TEST_CRASH_AT: crashAt }) },
      stdio: ["ignore", "pipe", "pipe", "ipc"],
    });
    this.#child.on("message", (message) => this.#told.push(message));
    for (const stream of [this.#child.stdout!, this.#child.stderr!])
      stream.setEncoding("utf8").on("data", (text: string) => {
        this.#output = (this.#output + text).slice(-20_000);
      });
    this.#ended = once(this.#child, "close");
  }

  /** The end of what it printed. */
  get output(): string {
    return this.#output;
  }

  get isAlive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** What it told of this kind, once it has; undefined if it died before, or has not within `ms`. */
  async told<T extends { readonly kind: string }>(kind: T["kind"], ms: number): Promise<T | undefined> {
    const deadline = AbortSignal.timeout(ms);
    for (;;) {
      const found = this.#told.find((each) => (each as T).kind === kind);
      if (found !== undefined) return found as T;
      if (!this.isAlive || deadline.aborted) return undefined;
      const message = once(this.#child, "message", { signal: deadline }).catch(() => {});
      await Promise.race([message, this.#ended]);
    }
  }

  /** All of this kind that it has told so far. */
  all<T extends { readonly kind: string }>(kind: T["kind"]): T[] {
    return this.#told.filter((each) => (each as T).kind === kind) as T[];
  }

  /** The latest of this kind. */
  latest<T extends { readonly kind: string }>(kind: T["kind"]): T | undefined {
    return this.#told.findLast((each) => (each as T).kind === kind) as T | undefined;
  }

  order(order: string): void {
    // It may die meanwhile, which is no news here.
    if (this.#child.connected) this.#child.send(order, () => {});
  }

  /** SIGKILL, and its end. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#ended;
  }

  /** Whether it died within `ms`. */
  async died(ms: number): Promise<boolean> {
    const timeout = new AbortController();
    const timer = setTimeout(() => timeout.abort(), ms);
    await Promise.race([this.#ended, once(timeout.signal, "abort")]);
    clearTimeout(timer);
    return !this.isAlive;
  }

  get exitCode(): number | null {
    return this.#child.exitCode;
  }
}
