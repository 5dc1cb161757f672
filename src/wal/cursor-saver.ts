import type { Clock } from "../base/clock.js";
import { messageOf } from "../base/errors.js";
import { SECOND_MS } from "../base/units.js";
import type { Cursor } from "./recovered.js";

export interface CursorSaverOptions {
  readonly clock: Clock;
  /** As of now. */
  readonly cursor: () => Cursor;
  readonly save: (cursor: Cursor) => Promise<void>;
  readonly onFailure: (message: string) => void;
}

const SAVE_MS: number = SECOND_MS;

/** Saves the cursor about once a second while it changes, and at the end. A shortcut for the next start: what it misses is asked for. */
export class CursorSaver {
  readonly #options: CursorSaverOptions;
  #cancelTimer: (() => void) | undefined;
  #saving: Promise<void> = Promise.resolve();
  #isSaving = false;
  #isChanged = false;

  constructor(options: CursorSaverOptions) {
    this.#options = options;
  }

  /** The fate of some rows became known. */
  changed(): void {
    this.#isChanged = true;
    if (this.#cancelTimer !== undefined || this.#isSaving) return;
    this.#cancelTimer = this.#options.clock.after(SAVE_MS, () => {
      this.#cancelTimer = undefined;
      void this.#save();
    });
  }

  /** Resolves when what is known now is saved, or could not be. */
  async close(): Promise<void> {
    this.#cancelTimer?.();
    await this.#saving;
    if (this.#isChanged) await this.#save();
    this.#cancelTimer?.();
  }

  #save(): Promise<void> {
    this.#isChanged = false;
    this.#isSaving = true;
    const { cursor, save, onFailure } = this.#options;
    this.#saving = save(cursor()).then(
      () => this.#saved(),
      (error: unknown) => {
        onFailure(messageOf(error));
        this.#isChanged = true;
        this.#saved();
      },
    );
    return this.#saving;
  }

  #saved(): void {
    this.#isSaving = false;
    if (this.#isChanged) this.changed();
  }
}
