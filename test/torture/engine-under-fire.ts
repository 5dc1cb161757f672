import { setTimeout as delay } from "node:timers/promises";
import type { Engine } from "../../src/engine/engine.js";

/** Kills the engine's process and starts it again; kills that meet one that is away count for nothing. */
export class EngineUnderFire {
  readonly #engine: Engine;
  #restarted: Promise<void> = Promise.resolve();
  #isAway = false;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** @returns whether there was one to kill @param awayMs from its death to the next start */
  kill(awayMs: number): boolean {
    if (this.#isAway) return false;
    this.#isAway = true;
    this.#engine.kill();
    this.#restarted = delay(awayMs)
      .then(() => this.#engine.restart())
      .finally(() => {
        this.#isAway = false;
      });
    return true;
  }

  /** Resolves when it is there. */
  async up(): Promise<void> {
    await this.#restarted;
  }
}
