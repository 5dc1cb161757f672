import { createHash } from "node:crypto";

const FIRST_SLOTS = 1024;
/** Keys remembered at most: 2^20 in twice as many slots of 8 bytes are 16 MiB. */
const KEYS_MAX = 2 ** 20;

/**
 * Remembers which keys it has seen, as 64 bits of their hash: among a million keys the chance that any two are taken for
 * one is below one in ten million. Once full it takes up no more.
 */
export class KeyIndex {
  readonly #keysMax: number;
  #slots = new BigUint64Array(FIRST_SLOTS);
  #count = 0;

  constructor(keysMax: number = KEYS_MAX) {
    this.#keysMax = keysMax;
  }

  has(key: string): boolean {
    return this.#slots[this.#find(this.#slots, hashOf(key))] !== 0n;
  }

  add(key: string): void {
    const hash = hashOf(key);
    const slot = this.#find(this.#slots, hash);
    if (this.#slots[slot] === hash || this.#count >= this.#keysMax) return;
    this.#slots[slot] = hash;
    this.#count += 1;
    if (this.#count * 2 > this.#slots.length) this.#grow();
  }

  /** The slot that holds the hash, or the free one where it belongs. */
  #find(slots: BigUint64Array, hash: bigint): number {
    let slot = Number(hash % BigInt(slots.length));
    while (slots[slot] !== 0n && slots[slot] !== hash) slot = (slot + 1) % slots.length;
    return slot;
  }

  #grow(): void {
    const grown = new BigUint64Array(this.#slots.length * 2);
    for (const hash of this.#slots) if (hash !== 0n) grown[this.#find(grown, hash)] = hash;
    this.#slots = grown;
  }
}

/** Never zero, which marks a free slot. */
function hashOf(key: string): bigint {
  const hash = createHash("sha256").update(key).digest().readBigUInt64LE();
  return hash === 0n ? 1n : hash;
}
