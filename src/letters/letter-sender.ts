import { randomBytes } from "node:crypto";
import { MINUTE_MS } from "../base/units.js";
import type { ClickHouse, Settings } from "../clickhouse/client.js";
import { ClickHouseError } from "../clickhouse/error.js";
import { quoteName, quoteString } from "../clickhouse/quote.js";
import { BlockBuilder } from "../native/block.js";
import { sameColumns } from "../native/block-header.js";
import { askReplica } from "../schemas/ask-replica.js";
import type { Table } from "../schemas/table.js";
import { type AnswerClass, classify } from "../sink/answers.js";
import type { LetterRow } from "./letter-row.js";

/** What became of some letters. */
export interface Sent {
  /** Ids of letters whose rows are in ClickHouse: stored now, or found there. */
  readonly stored: string[];
  readonly found: string[];
  /** Why the others stay. */
  readonly left: Map<string, string>;
}

export interface LetterSenderOptions {
  readonly clickhouse: ClickHouse;
  readonly table: Table;
  /** Those of the recorder's INSERTs. */
  readonly settings: Settings;
  /** Names the INSERTs in ClickHouse's log. */
  readonly recorder: string;
  readonly signal: AbortSignal;
}

/** Milliseconds for one question or INSERT. */
export const REQUEST_MS: number = MINUTE_MS;
/** Refusals that some of the rows may have earned, so that the others are tried without them. */
const OF_A_ROW: ReadonlySet<AnswerClass> = new Set(["poison", "split"]);

/**
 * Brings rows of dead letters into one table. The letters on disk are the only memory of what is still to do: what ClickHouse has is asked
 * for before each INSERT, row by row, so it does not matter which rows an INSERT before it was made of, nor whether all of it
 * was stored. Nobody else may send these rows meanwhile, and no INSERT of an earlier try may still run.
 */
export class LetterSender {
  readonly #options: LetterSenderOptions;
  readonly #name: string;
  readonly #target: string;
  #inserts = 0;

  constructor(options: LetterSenderOptions) {
    const { table, recorder } = options;
    this.#options = options;
    this.#name = `${recorder}/dead-letters/${randomBytes(8).toString("hex")}`;
    this.#target = `${quoteName(table.database)}.${quoteName(table.name)}`;
  }

  /** @throws UnreachableError, ClickHouseError for what is no row's fault; what was stored until then is found the next time. */
  async send(rows: readonly LetterRow[]): Promise<Sent> {
    const sent: Sent = { stored: [], found: [], left: new Map() };
    if (rows.length > 0) await this.#send(rows, sent);
    return sent;
  }

  async #send(rows: readonly LetterRow[], sent: Sent): Promise<void> {
    const there = await this.#identitiesStored(rows);
    const taken = await this.#originsStored(rows.filter((row) => !there.has(identityOf(row))));
    const toSend = new Map<string, LetterRow>();
    const twins: LetterRow[] = [];
    for (const row of rows) {
      const identity = identityOf(row);
      const origin = originOf(row);
      if (there.has(identity)) sent.found.push(row.id);
      else if (toSend.has(identity)) twins.push(row);
      else if (origin !== undefined && taken.has(origin)) {
        sent.left.set(row.id, `another row of ${row.origin!.source}, number ${row.origin!.seq}, is stored`);
      } else {
        if (origin !== undefined) taken.add(origin);
        toSend.set(identity, row);
      }
    }
    for (const group of groupsOf([...toSend.values()])) await this.#insert(group, sent);
    // A second letter of the same row shares the fate of the first.
    for (const { id, ...row } of twins) {
      const first = toSend.get(identityOf(row))!.id;
      const reason = sent.left.get(first);
      if (reason === undefined) sent.found.push(id);
      else sent.left.set(id, reason);
    }
  }

  async #insert(rows: readonly LetterRow[], sent: Sent): Promise<void> {
    const { clickhouse, settings, signal } = this.#options;
    const { columns } = rows[0]!;
    const builder = new BlockBuilder(columns);
    for (const { block } of rows) builder.appendBlock(block);
    this.#inserts += 1;
    const name = `${this.#name}/${this.#inserts}`;
    try {
      await clickhouse.insert({
        sql: `INSERT INTO ${this.#target} (${columns.map((column) => quoteName(column.name))}) FORMAT Native`,
        body: builder.encode(),
        // Of its own for each INSERT: what is there is asked for, not left to the memory of tokens.
        settings: { ...settings, insert_deduplication_token: name, log_comment: name },
        queryId: name,
        timeoutMs: REQUEST_MS,
        signal,
      });
    } catch (error) {
      const { class: kind, message } = classify(error);
      if (!(error instanceof ClickHouseError && OF_A_ROW.has(kind))) throw error;
      if (rows.length === 1) sent.left.set(rows[0]!.id, message);
      else {
        const middle = rows.length >> 1;
        await this.#send(rows.slice(0, middle), sent);
        await this.#send(rows.slice(middle), sent);
      }
      return;
    }
    sent.stored.push(...rows.map(({ id }) => id));
  }

  async #identitiesStored(rows: readonly LetterRow[]): Promise<Set<string>> {
    const pairs = rows.map(({ run, seq }) => `(${run}, ${seq})`);
    const runs = new Set(rows.map(({ run }) => run));
    const found = await this.#ask<{ recorder: string; run: string; seq: string }>(
      `SELECT DISTINCT recorder, run, seq FROM ${this.#target}
       WHERE run IN (${[...runs]}) AND (run, seq) IN (${pairs})`,
    );
    return new Set(found.map(identityOf));
  }

  /** The origins of these rows that some row bears already. */
  async #originsStored(rows: readonly LetterRow[]): Promise<Set<string>> {
    const origins = rows.flatMap(({ origin }) => (origin === undefined ? [] : [origin]));
    if (origins.length === 0) return new Set();
    const pairs = origins.map(({ source, seq }) => `(${quoteString(source)}, ${seq})`);
    const found = await this.#ask<{ source: string; seq: string }>(
      `SELECT DISTINCT source, assumeNotNull(source_seq) AS seq FROM ${this.#target}
       WHERE source_seq IS NOT NULL AND (source, assumeNotNull(source_seq)) IN (${pairs})`,
    );
    return new Set(found.map((origin) => originOf({ origin })!));
  }

  async #ask<T>(sql: string): Promise<T[]> {
    const { clickhouse, table, signal } = this.#options;
    return await askReplica({
      clickhouse,
      table,
      signal,
      ask: (request) => clickhouse.rows<T>(sql, { ...request, timeoutMs: REQUEST_MS, signal }),
    });
  }
}

function identityOf(row: { recorder: string; run: bigint | string; seq: bigint | string }): string {
  return `${row.run}/${row.seq}/${row.recorder}`;
}

function originOf({
  origin,
}: {
  origin: { source: string; seq: number | bigint | string } | undefined;
}): string | undefined {
  return origin === undefined ? undefined : `${origin.seq} ${origin.source}`;
}

/** Rows that fit one block, in order. */
function groupsOf(rows: readonly LetterRow[]): LetterRow[][] {
  const groups: LetterRow[][] = [];
  for (const row of rows) {
    const group = groups.find(([first]) => sameColumns(first!.columns, row.columns));
    if (group === undefined) groups.push([row]);
    else group.push(row);
  }
  return groups;
}
