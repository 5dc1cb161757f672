/** A book as plainly as it can be kept: the oracle of tests over recordings. */
export class NaiveBook {
  readonly bids = new Map<number, number>();
  readonly asks = new Map<number, number>();

  set(side: "bids" | "asks", px: number, sz: number): void {
    if (sz === 0) this[side].delete(px);
    else this[side].set(px, sz);
  }

  clear(): void {
    this.bids.clear();
    this.asks.clear();
  }

  top(depth: number): string {
    const best = (side: Map<number, number>, sign: 1 | -1): number[][] =>
      [...side].sort(([one], [other]) => (one - other) * sign).slice(0, depth);
    return JSON.stringify([best(this.bids, -1), best(this.asks, 1)]);
  }
}
