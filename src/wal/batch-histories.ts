import type { Batch } from "../buffer/batch.js";
import { numberOf } from "./carry-rule.js";
import { type IndexEntry, sealChecksum } from "./records.js";
import type { SeqRange } from "./seq-set.js";

/** Those of the rows whose fate is not known, in ascending order. */
type UnknownIn = (run: bigint, first: number, last: number) => readonly SeqRange[];

interface History {
  /** Of the frames of the whole batch. */
  readonly checksum: number;
  /** The latest generation by name. */
  readonly generations: Map<string, number>;
  readonly splits: Map<string, readonly [string, string]>;
}

/** What became of the sealed batches of one table before this start: which generation was used last, and what they were split into. */
export class BatchHistories {
  readonly #byNumber = new Map<string, History>();

  /** `marks`: those of the log when it was opened, in order. */
  constructor(table: string, marks: readonly IndexEntry[]) {
    for (const { record } of marks) {
      if ((record.kind !== "seal" && record.kind !== "split") || record.table !== table) continue;
      if (record.kind === "split") {
        this.#of(record.run, record.parent)?.splits.set(record.parent, record.children);
        continue;
      }
      const { run, batch, checksum, generation } = record;
      const isWhole = batch === String(numberOf(batch));
      if (isWhole && this.#of(run, batch)?.checksum !== checksum)
        this.#byNumber.set(keyOf(run, batch), { checksum, generations: new Map(), splits: new Map() });
      this.#of(run, batch)?.generations.set(batch, generation);
    }
  }

  /** What of an inherited batch has an unknown fate, as batches that go by the names under which they may have been sent. */
  open(batch: Batch, unknownIn: UnknownIn): Batch[] {
    const { run, name, frames, rows } = batch;
    const history = this.#of(run, name);
    const isSealed = history?.checksum === sealChecksum(frames);
    const leaves = isSealed ? leavesOf(history, name) : [name];
    return leaves.flatMap((leaf) => {
      const [from, to] = rowsOf(leaf, rows);
      return unknownRows(batch, from, to, unknownIn).map(([first, end]) => {
        const part = batch.part(first, end);
        if (!isSealed) return part;
        const isWhole = first === from && end === to;
        const sealed = history.generations.get(part.name) ?? (isWhole ? 0 : undefined);
        return batch.part(first, end, sealed);
      });
    });
  }

  #of(run: bigint, name: string): History | undefined {
    return this.#byNumber.get(keyOf(run, name));
  }
}

function keyOf(run: bigint, name: string): string {
  return `${run}/${numberOf(name)}`;
}

/** What a batch was split into in the end; its own name if it was not. */
function leavesOf(history: History, name: string): string[] {
  const halves = history.splits.get(name);
  return halves === undefined ? [name] : halves.flatMap((half) => leavesOf(history, half));
}

/** The rows [from, to) that a batch of this name has of the whole. */
function rowsOf(name: string, all: number): [from: number, to: number] {
  const range = /\.(\d+)-(\d+)$/.exec(name);
  return range === null ? [0, all] : [Number(range[1]), Number(range[2])];
}

/** The rows of unknown fate among [from, to), put together where they are side by side. */
function unknownRows(batch: Batch, from: number, to: number, unknownIn: UnknownIn): [number, number][] {
  const found: [number, number][] = [];
  let at = from;
  for (const { firstSeq, count } of batch.part(from, to).frames) {
    for (const { first, last } of unknownIn(batch.run, firstSeq, firstSeq + count - 1)) {
      const begin = at + first - firstSeq;
      const end = at + last - firstSeq + 1;
      const before = found.at(-1);
      if (before?.[1] === begin) before[1] = end;
      else found.push([begin, end]);
    }
    at += count;
  }
  return found;
}
