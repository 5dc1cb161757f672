import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import type { Context } from "../sink/rig.js";
import type { LogPlace } from "../wal/recorder-rig.js";

/** What a child says of itself. */
export interface Told {
  readonly offered: number;
  readonly spooled: number;
  readonly stored: number;
  readonly pending: number;
  readonly link: string;
  readonly run: string;
}

/** A recorder in a process of its own, which offers the rows `first`, `first + 1` … until it is killed. */
export class SpoolChild {
  readonly #child: ChildProcess;
  /** Its last word. */
  last: Told = { offered: 0, spooled: 0, stored: 0, pending: 0, link: "", run: "" };
  #look: () => void = () => {};

  constructor(
    t: Context,
    place: LogPlace,
    clickhouse: { readonly url: string; readonly user: string; readonly password: string },
    { first, crashAt = "" }: { readonly first: number; readonly crashAt?: string },
  ) {
    const { folder, name } = place;
    const { url, user, password } = clickhouse;
    this.#child = fork(new URL("./spool-child.js", import.meta.url), [], {
      env: {
        ...process.env,
        COLDPATH_TEST_CRASH_AT: crashAt,
        PLACE: JSON.stringify({ url, user, password, folder, name, first: String(first) }),
      },
    });
    t.after(() => void this.#child.kill("SIGKILL"));
    this.#child.on("message", (message) => {
      this.last = message as Told;
      this.#look();
    });
    this.#child.on("exit", () => this.#look());
  }

  get isDead(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** Resolves when it has said so, or is dead. */
  async says(condition: (told: Told) => boolean): Promise<void> {
    while (!this.isDead && !condition(this.last))
      await new Promise<void>((resolve) => {
        this.#look = resolve;
      });
  }

  async kill(): Promise<void> {
    if (this.isDead) return;
    const exit = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await exit;
  }
}
