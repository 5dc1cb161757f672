/** Whole numbers from `first` to `last`, both included. */
export interface SeqRange {
  readonly first: number;
  readonly last: number;
}

/**
 * A set of whole numbers kept as sorted ranges that neither touch nor overlap. What is added mostly extends the last
 * range, so adding costs a binary search and rarely more.
 */
export class SeqSet {
  readonly #ranges: SeqRange[] = [];

  constructor(ranges: Iterable<SeqRange> = []) {
    for (const { first, last } of ranges) this.add(first, last);
  }

  /** The ranges in ascending order. */
  get ranges(): readonly SeqRange[] {
    return this.#ranges;
  }

  /** How many numbers are in the set. */
  get size(): number {
    return this.#ranges.reduce((sum, { first, last }) => sum + last - first + 1, 0);
  }

  /** Adds `first` … `last`; an empty interval (`last < first`) adds nothing. */
  add(first: number, last: number): void {
    if (last < first) return;
    // Ranges that touch are merged too, hence the look one to either side.
    const from = this.#firstEndingAtOrAfter(first - 1);
    let to = from;
    let merged: SeqRange = { first, last };
    for (; to < this.#ranges.length && this.#ranges[to]!.first <= last + 1; to++) {
      const range = this.#ranges[to]!;
      merged = { first: Math.min(merged.first, range.first), last: Math.max(merged.last, range.last) };
    }
    this.#ranges.splice(from, to - from, merged);
  }

  has(seq: number): boolean {
    return this.covers(seq, seq);
  }

  /** Whether each of `first` … `last` is in the set; true for an empty interval. */
  covers(first: number, last: number): boolean {
    if (last < first) return true;
    const range = this.#ranges[this.#firstEndingAtOrAfter(first)];
    return range !== undefined && range.first <= first && range.last >= last;
  }

  /** What of `first` … `last` is not in the set, in ascending order. */
  missingIn(first: number, last: number): SeqRange[] {
    const missing: SeqRange[] = [];
    let next = first;
    for (let at = this.#firstEndingAtOrAfter(first); at < this.#ranges.length && next <= last; at++) {
      const range = this.#ranges[at]!;
      if (range.first > next) missing.push({ first: next, last: Math.min(range.first - 1, last) });
      next = range.last + 1;
    }
    if (next <= last) missing.push({ first: next, last });
    return missing;
  }

  /** What of `first` … `last` is in the set, in ascending order. */
  within(first: number, last: number): SeqRange[] {
    const found: SeqRange[] = [];
    for (let at = this.#firstEndingAtOrAfter(first); at < this.#ranges.length; at++) {
      const range = this.#ranges[at]!;
      if (range.first > last) break;
      found.push({ first: Math.max(first, range.first), last: Math.min(last, range.last) });
    }
    return found;
  }

  /** Takes `first` … `last` out. */
  remove(first: number, last: number): void {
    const from = this.#firstEndingAtOrAfter(first);
    const rest: SeqRange[] = [];
    let to = from;
    for (; to < this.#ranges.length && this.#ranges[to]!.first <= last; to++) {
      const range = this.#ranges[to]!;
      if (range.first < first) rest.push({ first: range.first, last: first - 1 });
      if (range.last > last) rest.push({ first: last + 1, last: range.last });
    }
    this.#ranges.splice(from, to - from, ...rest);
  }

  #firstEndingAtOrAfter(seq: number): number {
    let low = 0;
    let high = this.#ranges.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#ranges[middle]!.last < seq) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
