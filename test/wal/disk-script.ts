import { setTimeout as delay } from "node:timers/promises";
import { MIB } from "../../src/base/units.js";

/** Where the script looks: before these calls, and after a sync that came through. */
const CALLS = ["create", "write", "datasync", "synced"] as const;
export type Call = (typeof CALLS)[number];
const ERRORS = ["EIO", "ENOSPC", "EMFILE", "EROFS"] as const;

/** Per call: how often it was reached, what is done there, and how many times more. */
const WORDS = { count: 0, action: 1, times: 2 } as const;
const PER_CALL = 3;
const FREE = CALLS.length * PER_CALL;
const ACTIONS = ["nothing", "hang", "die", ...ERRORS] as const;

/** What a disk in another thread does, said through shared memory. */
export class Script {
  readonly memory: SharedArrayBuffer;
  readonly #words: Int32Array;

  constructor(memory: SharedArrayBuffer = new SharedArrayBuffer(4 * (FREE + 1))) {
    this.memory = memory;
    this.#words = new Int32Array(memory);
  }

  /** How often the call was reached. */
  count(call: Call): number {
    return Atomics.load(this.#words, at(call, "count"));
  }

  /** From now on, so many times: the call fails, hangs until {@link clear}, or ends its thread. */
  set(call: Call, action: (typeof ACTIONS)[number], times: number = Number.MAX_SAFE_INTEGER): void {
    Atomics.store(this.#words, at(call, "times"), Math.min(times, 2 ** 31 - 1));
    Atomics.store(this.#words, at(call, "action"), ACTIONS.indexOf(action));
  }

  /** Everything is as on any disk again. */
  clear(): void {
    for (const call of CALLS) {
      Atomics.store(this.#words, at(call, "action"), 0);
      Atomics.notify(this.#words, at(call, "action"));
    }
  }

  /** Bytes that the disk says are free, in whole MiB; undefined: as it is. */
  get free(): number | undefined {
    const words = Atomics.load(this.#words, FREE);
    return words === 0 ? undefined : words * MIB;
  }

  set free(bytes: number | undefined) {
    Atomics.store(this.#words, FREE, (bytes ?? 0) / MIB);
  }

  /** On the disk's thread. */
  pass(call: Call): void {
    Atomics.add(this.#words, at(call, "count"), 1);
    const action = ACTIONS[Atomics.load(this.#words, at(call, "action"))]!;
    if (action === "nothing" || Atomics.sub(this.#words, at(call, "times"), 1) <= 0) return;
    if (action === "hang") Atomics.wait(this.#words, at(call, "action"), ACTIONS.indexOf("hang"));
    else if (action === "die") process.exit();
    else throw Object.assign(new Error(`${action}: scripted`), { code: action });
  }
}

function at(call: Call, word: keyof typeof WORDS): number {
  return CALLS.indexOf(call) * PER_CALL + WORDS[word];
}

/** Resolves once it is so. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await delay(5);
}
