import type { Partition } from "../buffer/partition.js";
import type { ClickHouse, RequestOptions } from "../clickhouse/client.js";
import { quoteName } from "../clickhouse/quote.js";
import type { Table } from "../schemas/table.js";
import { type Condition, parameterText, partitionCondition } from "./partition-condition.js";

/** The rows that one start of a recorder numbered from `first` to `last`, as far as they are in the partition, if one is named. */
export interface SeqQuestion {
  readonly table: Table;
  readonly partition?: Partition;
  /** Default: whoever has that run. */
  readonly recorder?: string;
  readonly run: bigint;
  /** Numbers, or their decimal text. */
  readonly first: number | string;
  readonly last: number | string;
}

/** Seqs of which each is stored, in so many rows: more than there are seqs means that some are stored twice. */
export interface StoredSpan {
  readonly first: number;
  readonly last: number;
  readonly rows: number;
}

/** How many rows are stored, and how many different seqs they have. */
export async function countStored(
  clickhouse: ClickHouse,
  question: SeqQuestion,
  request: RequestOptions,
): Promise<{ rows: number; seqs: number }> {
  const { from, where, params } = rowsOf(question);
  const [counted] = await clickhouse.rows<{ rows: string; seqs: string }>(
    `SELECT count() AS rows, uniqExact(seq) AS seqs FROM ${from} WHERE ${where}`,
    { ...request, params },
  );
  return { rows: Number(counted!.rows), seqs: Number(counted!.seqs) };
}

/** Which seqs are stored, as ascending ranges without holes. */
export async function readStored(
  clickhouse: ClickHouse,
  question: SeqQuestion,
  request: RequestOptions,
): Promise<StoredSpan[]> {
  const { from, where, params } = rowsOf(question);
  // Within a range without holes a seq and its place among all seqs grow alike.
  const spans = await clickhouse.rows<{ first: string; last: string; rows: string }>(
    `SELECT min(seq) AS first, max(seq) AS last, sum(n) AS rows
     FROM (SELECT seq, n, seq - row_number() OVER (ORDER BY seq) AS span
           FROM (SELECT seq, count() AS n FROM ${from} WHERE ${where} GROUP BY seq))
     GROUP BY span ORDER BY first`,
    { ...request, params },
  );
  return spans.map((span) => ({
    first: Number(span.first),
    last: Number(span.last),
    rows: Number(span.rows),
  }));
}

/** Run and seq have minmax indices; where the partition is known, others are skipped whole. */
function rowsOf(question: SeqQuestion): {
  from: string;
  where: string;
  params: Record<string, string | number | bigint>;
} {
  const { table, recorder, run, first, last } = question;
  const byRecorder: Condition =
    recorder === undefined
      ? { sql: "1", params: {} }
      : { sql: "recorder = {recorder:String}", params: { recorder: parameterText(recorder) } };
  const inPartition: Condition =
    question.partition === undefined
      ? { sql: "1", params: {} }
      : partitionCondition(table, question.partition);
  return {
    from: `${quoteName(table.database)}.${quoteName(table.name)}`,
    where: `${byRecorder.sql} AND run = {run:UInt64}
      AND seq BETWEEN {first:UInt64} AND {last:UInt64} AND ${inPartition.sql}`,
    params: { ...inPartition.params, ...byRecorder.params, run, first, last },
  };
}
