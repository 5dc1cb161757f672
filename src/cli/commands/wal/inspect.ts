import type { Command } from "commander";
import { ColdpathError } from "../../../base/errors.js";
import { tableText } from "../../../base/table-text.js";
import { type InspectedRecord, inspectLog, type RecordFilter } from "../../../wal/inspect.js";
import type { IndexEntry, SealedFrame } from "../../../wal/records.js";
import { SeqSet } from "../../../wal/seq-set.js";
import { Context } from "../../context.js";
import { withExamples } from "../../examples.js";
import { type LogOptions, logFolder, withDir } from "./log-folder.js";

interface Options extends LogOptions {
  readonly table?: string;
  readonly run?: string;
  readonly seq?: string;
  readonly limit: string;
  readonly rows?: boolean;
}

export function registerInspect(group: Command): void {
  const inspect = withDir(group.command("inspect"))
    .argument("[segment]", "number of a segment (default: all)")
    .option("-t, --table <name>", "records of this table")
    .option("--run <number>", "records of this start of a recorder")
    .option("--seq <first[-last]>", "records that hold one of these rows")
    .option("--limit <n>", "records shown at most", "20")
    .option("--rows", "show the rows of frames as JSON")
    .description("records of the log")
    .action((segment: string | undefined, options: Options, command: Command) => {
      const context = new Context(command);
      const limit = wholeNumber("--limit", options.limit);
      const dir = logFolder(options, context);
      const found = inspectLog(dir, filterOf(segment, options), { limit, rows: options.rows === true });
      context.result(text(found.records, found.total), {
        total: found.total,
        records: found.records.map(json),
      });
    });
  withExamples(inspect, [
    [
      "coldpath wal inspect --table orders --seq 1507 --rows",
      "the record with row 1507 of orders, and its rows",
    ],
  ]);
}

function filterOf(segment: string | undefined, { table, run, seq }: Options): RecordFilter {
  return {
    segment: segment === undefined ? undefined : wholeNumber("the segment", segment),
    table,
    run: run === undefined ? undefined : BigInt(digits("--run", run)),
    seqs: seq === undefined ? undefined : seqsOf(seq),
  };
}

function seqsOf(text: string): { first: number; last: number } {
  const [first = "", last = first, ...more] = text.split("-");
  if (more.length > 0) throw new ColdpathError("USAGE", "--seq: expected one number, or two as 10-20");
  const seqs = { first: wholeNumber("--seq", first), last: wholeNumber("--seq", last) };
  if (seqs.first > seqs.last)
    throw new ColdpathError(
      "USAGE",
      `--seq ${text}: the first is larger than the last; did you mean ${last}-${first}?`,
    );
  return seqs;
}

function wholeNumber(name: string, text: string): number {
  return Number(digits(name, text));
}

function digits(name: string, text: string): string {
  if (!/^\d{1,20}$/.test(text))
    throw new ColdpathError("USAGE", `${name}: expected a whole number, not ${text}`);
  return text;
}

function text(records: readonly InspectedRecord[], total: number): string {
  if (total === 0) return "no such records";
  const headings = ["ordinal", "segment", "byte", "bytes", "kind", "table", "run", "what"];
  const cells = records.map(({ entry }) => cellsOf(entry));
  const [head, ...lines] = tableText(headings, cells).split("\n");
  const all = lines.flatMap((line, index) => [line, ...rowLines(records[index]!)]);
  const more = total - records.length;
  return [head, ...all, ...(more > 0 ? [`${more} more: --limit ${total}`] : [])].join("\n");
}

function rowLines({ rows = [], unreadable }: InspectedRecord): string[] {
  const lines = rows.map((row) => `  ${JSON.stringify(row, readable)}`);
  return unreadable === undefined ? lines : [...lines, `  ${unreadable}`];
}

function cellsOf({ ordinal, place, record }: IndexEntry): string[] {
  const { table = "", run = "" } = "table" in record ? record : {};
  const { segment, offset, length } = place;
  return [ordinal, segment, offset, length, record.kind, table, run, what(record)].map(String);
}

function what(record: IndexEntry["record"]): string {
  switch (record.kind) {
    case "rows": {
      const group = record.group === 0n ? "" : `, group ${record.group}`;
      return `seq ${seqText(record)}, partition ${record.partition || "none"}${group}`;
    }
    case "seal":
      return `batch ${record.batch}, generation ${record.generation}: ${record.rows} rows, seq ${rangesOf(record.frames)}`;
    case "split":
      return `batch ${record.parent} into ${record.children.join(" and ")}`;
    case "skip":
      return `seq ${seqText(record)} given up, batch ${record.batch}`;
    case "group_end":
      return `group ${record.group}: key ${record.key}, status ${record.status}`;
  }
}

/** Frames that follow each other as one range. */
function rangesOf(frames: readonly SealedFrame[]): string {
  const seqs = new SeqSet(
    frames.map(({ firstSeq, count }) => ({ first: firstSeq, last: firstSeq + count - 1 })),
  );
  return seqs.ranges
    .map(({ first, last }) => seqText({ firstSeq: first, count: last - first + 1 }))
    .join(", ");
}

function seqText({ firstSeq, count }: { readonly firstSeq: number; readonly count: number }): string {
  return count === 1 ? String(firstSeq) : `${firstSeq}–${firstSeq + count - 1}`;
}

function json({ entry, rows, unreadable }: InspectedRecord): unknown {
  const { ordinal, place, record } = entry;
  const about = { ordinal, ...place, ...(snakeCase(record) as object) };
  const shown = rows === undefined ? {} : { values: rows };
  const trouble = unreadable === undefined ? {} : { unreadable };
  return JSON.parse(JSON.stringify({ ...about, ...shown, ...trouble }, readable));
}

function snakeCase(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(snakeCase);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
      snakeCase(inner),
    ]),
  );
}

/** What JSON has no form for: 64-bit numbers as digits, maps as objects, bytes that are no text in hexadecimal. */
function readable(_key: string, value: unknown): unknown {
  if (typeof value === "bigint") return String(value);
  if (value instanceof Map) return Object.fromEntries(value as ReadonlyMap<string, unknown>);
  if (value instanceof Uint8Array) return `0x${Buffer.from(value).toString("hex")}`;
  return value;
}
