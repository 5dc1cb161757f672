import { SeqSet } from "./seq-set.js";

/** Rows of one run of a table. */
export interface RowSet {
  readonly table: string;
  readonly run: bigint;
  rows: number;
  readonly seqs: SeqSet;
}

/** Sets of rows by table and run. */
export class RowSets {
  readonly #sets = new Map<string, RowSet>();

  /** In the order in which they were first asked for. */
  get all(): RowSet[] {
    return [...this.#sets.values()];
  }

  /** The set of this table and run; an empty one if it was not asked for before. */
  of(table: string, run: bigint): RowSet {
    return getOrMake(this.#sets, `${run} ${table}`, () => ({ table, run, rows: 0, seqs: new SeqSet() }));
  }
}

/** The value of `key`; a new one, which the map then has, if there is none. */
export function getOrMake<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}
