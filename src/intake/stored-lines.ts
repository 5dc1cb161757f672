import { type Clock, sleep, systemClock } from "../base/clock.js";
import { ColdpathError } from "../base/errors.js";
import { MINUTE_MS, SECOND_MS } from "../base/units.js";
import type { ClickHouse } from "../clickhouse/client.js";
import { UnreachableError } from "../clickhouse/error.js";
import { quoteName, quoteString } from "../clickhouse/quote.js";
import type { Row } from "../native/block.js";
import { askReplica } from "../schemas/ask-replica.js";
import type { Table } from "../schemas/table.js";
import { StoredValues, type ValueTexts } from "./stored-values.js";

/** Lines asked for at once: bounds the answer, which is longest when every second line is stored. */
const WINDOW_LINES = 1 << 18;
/** One line of so many has its values compared. */
const SAMPLE_LINES = 64;
const POLL_MS = 100;
const QUESTION_MS: number = 5 * MINUTE_MS;
/** Another endpoint than the one in use may be away. */
const ELSEWHERE_MS: number = 5 * SECOND_MS;
/** An INSERT ends within seconds; after this long something else is wrong. */
const RUNNING_MAX_MS: number = 2 * MINUTE_MS;

/** The rows of one source in one table. */
export interface RowsOfSource {
  readonly clickhouse: ClickHouse;
  readonly table: Table;
  readonly source: string;
}

/** Whom to ask about which table, and for how long. */
interface Asking {
  readonly clickhouse: ClickHouse;
  readonly table: Table;
  readonly signal: AbortSignal;
  readonly clock?: Clock;
}

export interface StoredLinesOptions extends RowsOfSource, Asking {
  readonly windowLines?: number;
}

interface LineRange {
  readonly first: number;
  readonly last: number;
}

/**
 * Which lines of a source ClickHouse holds already, so that reading it again stores nothing twice, whatever ended the
 * first time. Held as ranges, a window of lines at a time.
 */
export class StoredLines {
  readonly #options: StoredLinesOptions;
  /** Rows of the source when it was opened. */
  readonly rows: number;
  /** The last line stored; 0 if none is. */
  readonly #last: number;
  /** Stored lines up to `#knownTo`, in order, without those that nobody asks for any more. */
  #ranges: LineRange[] = [];
  #knownTo = 0;
  readonly #values: StoredValues;
  /** Values of some lines of the ranges: the first, the last of all, and some in between. */
  #samples = new Map<number, ValueTexts>();

  private constructor(options: StoredLinesOptions, found: { readonly rows: number; readonly last: number }) {
    this.#options = options;
    this.rows = found.rows;
    this.#last = found.last;
    this.#values = new StoredValues(options.table);
  }

  /**
   * Asks once every INSERT into the table that runs now has ended: one of a killed run may still be on its way.
   *
   * @throws UnreachableError, ClickHouseError, or ColdpathError DEADLINE if such an INSERT does not end.
   */
  static async open(options: StoredLinesOptions): Promise<StoredLines> {
    await runningInsertsEnded(options);
    return new StoredLines(options, await storedNow(options, options.signal));
  }

  /** Learns about the lines from `first` to `last`. They come in order: what lies before them is forgotten. */
  async learn(first: number, last: number): Promise<void> {
    const wanted = Math.min(last, this.#last);
    if (this.#knownTo >= wanted) return;
    this.#ranges = this.#ranges.filter((range) => range.last >= first);
    while (this.#knownTo < wanted) await this.#learnWindow();
  }

  /** Whether a line is stored that {@link learn} has been called for. */
  has(line: number): boolean {
    const ranges = this.#ranges;
    let low = 0;
    let high = ranges.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const range = ranges[middle]!;
      if (line < range.first) high = middle - 1;
      else if (line > range.last) low = middle + 1;
      else return true;
    }
    return false;
  }

  /**
   * The first column in which a row that was read differs from the one stored of its line; undefined if none does or
   * the line is none of those that are compared.
   */
  difference(line: number, row: Row): string | undefined {
    const stored = this.#samples.get(line);
    if (stored === undefined) return undefined;
    this.#samples.delete(line);
    return this.#values.difference(row, stored);
  }

  async #learnWindow(): Promise<void> {
    const first = this.#knownTo + 1;
    const last = this.#knownTo + (this.#options.windowLines ?? WINDOW_LINES);
    // A line minus its rank is the same number exactly for all lines of a stretch without holes.
    const ranges = await ask<{ first: string; last: string }>(
      this.#options,
      `SELECT min(line) AS first, max(line) AS last
       FROM (SELECT line, line - row_number() OVER (ORDER BY line) AS stretch
             FROM (SELECT DISTINCT assumeNotNull(source_seq) AS line FROM ${ofSource(this.#options)}
                   AND source_seq BETWEEN ${first} AND ${last}))
       GROUP BY stretch ORDER BY first`,
    );
    for (const range of ranges) this.#ranges.push({ first: Number(range.first), last: Number(range.last) });
    if (ranges.length > 0) await this.#learnSamples(first, last);
    this.#knownTo = last;
  }

  async #learnSamples(first: number, last: number): Promise<void> {
    const samples = await ask<{ line: string; texts: ValueTexts }>(
      this.#options,
      `SELECT assumeNotNull(source_seq) AS line, ${this.#values.sql} AS texts FROM ${ofSource(this.#options)}
         AND source_seq BETWEEN ${first} AND ${last}
       ORDER BY line LIMIT 1 BY if(line = ${this.#last}, 0, 1 + intDiv(line, ${SAMPLE_LINES}))`,
    );
    for (const { line, texts } of samples) this.#samples.set(Number(line), texts);
  }
}

/** How many rows of a source are stored, and the last of their lines; 0 if there are none. */
export async function storedNow(
  rows: RowsOfSource,
  signal?: AbortSignal,
): Promise<{ readonly rows: number; readonly last: number }> {
  const [found] = await ask<{ rows: string; last: string | null }>(
    { ...rows, signal },
    `SELECT count() AS rows, max(source_seq) AS last FROM ${ofSource(rows)}`,
  );
  return { rows: Number(found!.rows), last: Number(found!.last ?? 0) };
}

/**
 * Resolves once every INSERT into the table that runs now, on any endpoint that answers, has ended. Those that begin later are not
 * waited for: they cannot be of a run that is over.
 *
 * @throws UnreachableError, ClickHouseError, or ColdpathError DEADLINE if such an INSERT does not end.
 */
export async function runningInsertsEnded(options: Asking): Promise<void> {
  const { clickhouse, table, signal, clock = systemClock } = options;
  const running = async (): Promise<string[]> => {
    const lists = await Promise.all(clickhouse.endpoints.map((at) => runningAt(at, options)));
    return lists.flat();
  };
  let awaited = await running();
  const startedAt = clock.monotonic();
  while (awaited.length > 0) {
    if (clock.monotonic() - startedAt > RUNNING_MAX_MS) {
      throw new ColdpathError(
        "DEADLINE",
        `an INSERT into ${table.name} does not end (query ${awaited[0]}), so what is stored already is unknown`,
      );
    }
    await sleep(clock, POLL_MS, signal);
    const now = new Set(await running());
    awaited = awaited.filter((each) => now.has(each));
  }
}

/** Ids of the INSERTs that run on one server. Of the others than that in use, one that does not answer runs none that we could wait for. */
async function runningAt(at: string, { clickhouse, table, signal }: Asking): Promise<string[]> {
  const isInUse = at === clickhouse.endpoint;
  try {
    const rows = await clickhouse.rows<{ query_id: string }>(
      `SELECT query_id FROM system.processes
       WHERE query_kind = 'Insert' AND position(query, ${quoteString(table.name)}) > 0`,
      { at, timeoutMs: isInUse ? QUESTION_MS : ELSEWHERE_MS, signal },
    );
    return rows.map(({ query_id }) => query_id);
  } catch (error) {
    if (isInUse || signal.aborted || !(error instanceof UnreachableError)) throw error;
    return [];
  }
}

function ofSource({ table, source }: RowsOfSource): string {
  return `${quoteName(table.database)}.${quoteName(table.name)} WHERE source = ${quoteString(source)}`;
}

async function ask<T>(
  { clickhouse, table, signal }: Omit<Asking, "signal"> & { readonly signal: AbortSignal | undefined },
  sql: string,
): Promise<T[]> {
  const common = { ...(signal === undefined ? {} : { signal }) };
  return await askReplica({
    clickhouse,
    table,
    ...common,
    ask: (request) => clickhouse.rows<T>(sql, { ...request, timeoutMs: QUESTION_MS, ...common }),
  });
}
