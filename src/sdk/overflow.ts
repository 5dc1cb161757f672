import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { AppendFile } from "../base/append-file.js";
import { messageOf } from "../base/errors.js";
import type { Config } from "../config/schema.js";
import { INSTANT_BASE, INSTANT_END } from "../native/instant-number.js";
import { type AnyRow, type Constants, constantOf } from "../ring/compile-record.js";
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
  readonly #folder: string;
  /** Of this producer alone: another one may go on with the ring when this one has ended. */
  readonly #name: string;
  readonly #now: () => number;
  readonly #open = new Map<string, AppendFile>();
  #episodes = 0;
  #warned = "";

  /** @param now microseconds since the Unix epoch */
  constructor({ folder, name }: OverflowPlace, now: () => number) {
    this.#folder = folder;
    this.#name = `${name}-${randomBytes(4).toString("hex")}`;
    this.#now = now;
  }

  /**
   * @param constants columns that have this text, whatever the row says
   * @returns false if the row could not be written; a warning of the process says why
   */
  append(layout: RecordLayout, row: AnyRow, constants: Constants): boolean {
    try {
      let file = this.#open.get(layout.table);
      if (file === undefined) {
        this.#episodes += 1;
        file = new AppendFile(join(this.#folder, layout.table, `${this.#name}-${this.#episodes}.ndjson`));
        this.#open.set(layout.table, file);
      }
      file.append(lineOf(layout, row, constants, this.#now));
      return true;
    } catch (error) {
      this.#warn(error);
      return false;
    }
  }

  /** The ring has room again: what was written is handed over. A file for which that fails is taken after this process. */
  complete(): void {
    const files = [...this.#open.values()];
    this.#open.clear();
    for (const file of files) {
      try {
        file.close();
      } catch (error) {
        this.#warn(error);
      }
    }
  }

  /** Once for each reason: nothing here may end or delay the thread that records. */
  #warn(error: unknown): void {
    const message = `overflow in ${this.#folder}: ${messageOf(error)}`;
    if (message === this.#warned) return;
    this.#warned = message;
    process.emitWarning(message);
  }
}

/** The row as one line of JSON, which says the same as the ring's record would. */
function lineOf({ columns }: RecordLayout, row: AnyRow, constants: Constants, now: () => number): string {
  const line: Record<string, unknown> = {};
  for (const { name, kind, stampedWhenAbsent } of columns) {
    // The file and the line become the row's origin.
    if (name === "source" || name === "source_seq") continue;
    let value = constantOf(constants, name) ?? row[name];
    if (value === undefined && stampedWhenAbsent === true) value = now() + INSTANT_BASE;
    line[name] = kind === "time" ? timeText(value, row[`${name}_ns`]) : value;
  }
  return JSON.stringify(line, replacer);
}

function timeText(value: unknown, nanos: unknown = 0): unknown {
  if (typeof value === "number" && value >= INSTANT_BASE && value < INSTANT_END) {
    if (typeof nanos === "number" && Number.isInteger(nanos) && nanos >= 0 && nanos < 1000)
      return `${BigInt(value - INSTANT_BASE) * 1000n + BigInt(nanos)}`;
    // No time: refused where it is read, as the ring's record would be.
    return `${value - INSTANT_BASE} us + ${String(nanos)} ns`;
  }
  return value instanceof Date && Number.isNaN(value.getTime()) ? String(value) : value;
}

/** What JSON cannot say becomes text, which its column takes or refuses; nothing becomes null or goes missing. */
function replacer(_key: string, value: unknown): unknown {
  const isPlain = typeof value === "number" ? Number.isFinite(value) : typeof value !== "bigint";
  if (typeof value === "symbol" || typeof value === "function") return String(value);
  return isPlain ? value : String(value);
}
