import { formatSize } from "../base/units.js";
import { refusal } from "./exception.js";

/**
 * The disk that bodies may take on their way in. A body may hold as much as is still free: however many large or slow
 * ones there are, they leave one share for the next, so that nobody's uploads keep the recorder's small batches out.
 */
export class IncomingBudget {
  readonly #max: number;
  #held = 0;

  /** @param max bytes */
  constructor(max: number) {
    this.#max = max;
  }

  /** What a new body holds; nothing at first. */
  open(): IncomingShare {
    let own = 0;
    return {
      take: (bytes) => {
        if (own + bytes > this.#max - this.#held - bytes) throw this.#refusal();
        own += bytes;
        this.#held += bytes;
      },
      give: () => {
        this.#held -= own;
        own = 0;
      },
    };
  }

  #refusal(): Error {
    return refusal(
      243,
      "NOT_ENOUGH_SPACE",
      `The bodies on their way in may take ${formatSize(this.#max)} together (engine.incoming), and one of them as much ` +
        "as is still free. Send it in smaller parts, or later.",
    );
  }
}

/** One body's part of the disk. */
export interface IncomingShare {
  /** Called before `bytes` more are written. @throws ClickHouseError 243 when that is more than its share */
  readonly take: (bytes: number) => void;
  /** The body's file is gone. */
  readonly give: () => void;
}
