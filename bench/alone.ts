import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import type { AloneOrder, AloneTimes } from "./alone-process.js";

/** The engine with nothing around it, in a process of its own, without HTTP: what the rest is compared with. */
export class EngineAlone {
  readonly #child: ChildProcess;
  readonly #death: Promise<never>;

  /** @param configFile the engine's own configuration; without one its defaults */
  constructor(folder: string, configFile?: string) {
    const args = configFile === undefined ? [] : [`--config-file=${configFile}`];
    this.#child = fork(new URL("./alone-process.js", import.meta.url), [folder, ...args], {
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    });
    this.#death = once(this.#child, "exit").then(([code]) => {
      throw new Error(`the engine alone ended with ${code}`);
    });
    // Told by the run that it interrupts; after the last one it is wanted.
    this.#death.catch(() => {});
  }

  /** Runs statements in this order, `sessions` of them at once. */
  async run(statements: readonly string[], sessions = 1): Promise<AloneTimes> {
    const order: AloneOrder = { statements, sessions };
    this.#child.send(order);
    const [times] = await Promise.race([once(this.#child, "message"), this.#death]);
    return times as AloneTimes;
  }

  async close(): Promise<void> {
    const exit = once(this.#child, "exit");
    this.#child.disconnect();
    await exit;
  }
}
