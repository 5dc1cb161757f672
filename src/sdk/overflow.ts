import { join } from "node:path";
import { AppendFile } from "../base/append-file.js";
import type { Config } from "../config/schema.js";
import { INSTANT_BASE, INSTANT_END } from "../native/instant-number.js";
import type { AnyRow } from "../ring/compile-record.js";
import type { RecordLayout } from "../ring/layout.js";

/** Folder of the files in `data_dir`. */
export function overflowFolder(config: Config): string {
  return join(config.data_dir, "overflow");
}

/** Where the rows go that a ring has no room for. */
export interface OverflowPlace {
  readonly folder: string;
  /** Names this ring among all rings of all processes that ever used the folder; begins with the process id and a dot. */
  readonly name: string;
}

/**
 * The last resort for critical rows when even the ring's reserve is full: a line in a file of their table, which the pipeline reads
 * when it is complete (`docs/reference/formats/overflow.md`). A plain write by the calling thread, not synced.
 */
export class Overflow {
  readonly #place: OverflowPlace;
  readonly #now: () => number;
  readonly #open = new Map<string, AppendFile>();
  #episodes = 0;
  /** Why the last row could not be appended. */
  failure: Error | undefined;

  /** @param now microseconds since the Unix epoch */
  constructor(place: OverflowPlace, now: () => number) {
    this.#place = place;
    this.#now = now;
  }

  /** False if the row could not be written; {@link failure} says why. */
  append(layout: RecordLayout, row: AnyRow): boolean {
    try {
      let file = this.#open.get(layout.table);
      if (file === undefined) {
        this.#episodes += 1;
        const { folder, name } = this.#place;
        file = new AppendFile(join(folder, layout.table, `${name}-${this.#episodes}.ndjson`));
        this.#open.set(layout.table, file);
      }
      file.append(lineOf(layout, row, this.#now));
      return true;
    } catch (error) {
      this.failure = error as Error;
      return false;
    }
  }

  /** The ring has room again: what was written is handed over. */
  complete(): void {
    for (const file of this.#open.values()) file.close();
    this.#open.clear();
  }
}

/** The row as one line of JSON, which says the same as the ring's record would. */
function lineOf(layout: RecordLayout, row: AnyRow, now: () => number): string {
  const line: Record<string, unknown> = {};
  for (const { name, kind, stampedWhenAbsent } of layout.columns) {
    // The file and the line become the row's origin.
    if (name === "source" || name === "source_seq") continue;
    const value = row[name] ?? (stampedWhenAbsent === true ? now() + INSTANT_BASE : undefined);
    line[name] = kind === "time" ? timeText(value, row[`${name}_ns`]) : value;
  }
  return JSON.stringify(line, replacer);
}

function timeText(value: unknown, nanoseconds: unknown): unknown {
  if (typeof value === "number" && value >= INSTANT_BASE && value < INSTANT_END)
    return `${BigInt(value - INSTANT_BASE) * 1000n + BigInt(Number(nanoseconds ?? 0))}`;
  return value instanceof Date && Number.isNaN(value.getTime()) ? String(value) : value;
}

/** What JSON cannot say becomes text, which its column takes or refuses; nothing becomes null or goes missing. */
function replacer(_key: string, value: unknown): unknown {
  const isPlain = typeof value === "number" ? Number.isFinite(value) : typeof value !== "bigint";
  if (typeof value === "symbol" || typeof value === "function") return String(value);
  return isPlain ? value : String(value);
}
