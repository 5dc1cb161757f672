import { openSync, readFileSync, writeSync } from "node:fs";
import type { OfferedRow, TableName } from "./rows.js";

/**
 * What a producer offered and what it was told, in a file of its own that knows nothing of the recorder: NDJSON, each line
 * with the kernel before the next step is taken, so a SIGKILL of the producer loses nothing of it.
 */

type Line =
  | readonly ["offered", TableName, number, string]
  | readonly ["refused", number]
  | readonly ["acknowledged", first: number, last: number];

export class Ledger {
  readonly #fd: number;

  /** A new file. */
  constructor(path: string) {
    this.#fd = openSync(path, "wx");
  }

  /** Before the rows are handed over. */
  offer(rows: readonly OfferedRow[]): void {
    this.#write(rows.map(({ table, number, values }) => ["offered", table, number, values]));
  }

  /** The recorder said that it does not take the row. */
  refuse(number: number): void {
    this.#write([["refused", number]]);
  }

  /** The recorder said that all rows with these numbers are safe, but for those it refused. */
  acknowledge(first: number, last: number): void {
    this.#write([["acknowledged", first, last]]);
  }

  #write(lines: readonly Line[]): void {
    const bytes = Buffer.from(lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
    for (let written = 0; written < bytes.length; ) written += writeSync(this.#fd, bytes, written);
  }
}

export interface LedgerRow {
  readonly table: TableName;
  readonly values: string;
  fate: "offered" | "refused" | "acknowledged";
}

/** The rows of these ledgers by their numbers. A last line without its end was torn by a kill: what it would have told did not happen. */
export function readLedgers(paths: readonly string[]): Map<number, LedgerRow> {
  const rows = new Map<number, LedgerRow>();
  for (const path of paths) {
    for (const text of readFileSync(path, "utf8").split("\n").slice(0, -1)) {
      const line = JSON.parse(text) as Line;
      if (line[0] === "offered") rows.set(line[2], { table: line[1], values: line[3], fate: "offered" });
      else if (line[0] === "refused") rows.get(line[1])!.fate = "refused";
      else acknowledge(rows, line[1], line[2]);
    }
  }
  return rows;
}

function acknowledge(rows: ReadonlyMap<number, LedgerRow>, first: number, last: number): void {
  for (let number = first; number <= last; number += 1) {
    const row = rows.get(number);
    if (row?.fate === "offered") row.fate = "acknowledged";
  }
}
