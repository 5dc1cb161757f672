import { ColdpathError } from "../base/errors.js";
import { MIB, SECOND_MS } from "../base/units.js";
import type { ClickHouse, Settings } from "../clickhouse/client.js";
import { tokensOf } from "../clickhouse/lexer.js";

/** Who answers questions, with a user that can only read, or is kept to that. */
export interface Reader {
  readonly clickhouse: ClickHouse;
  /** The address to ask; that of the recorder. */
  readonly endpoint: () => string;
  /** Beside those of every question. */
  readonly settings: Settings;
  /** Whether anybody on this machine may ask it anyhow: then no token is needed here. */
  readonly isOpen: boolean;
}

interface QueryAnswer {
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  /** Numbers of more than 32 bits, decimals and times are text. */
  readonly rows: readonly (readonly unknown[])[];
  /** Rows that ClickHouse has read for it. */
  readonly rowsRead: number;
  readonly seconds: number;
  /** Whether there were more rows. */
  readonly truncated: boolean;
}

const SECONDS_MAX = 10;
const ROWS_MAX = 1000;
const BYTES_MAX: number = 4 * MIB;

const LIMITS: Settings = {
  // No statement sets what stands here otherwise, and none reads by `url`, `file` or `remote`.
  readonly: 1,
  max_execution_time: SECONDS_MAX,
  // One more shows that there are more. Blocks are whole, so more may come.
  max_result_rows: ROWS_MAX + 1,
  max_block_size: ROWS_MAX + 1,
  result_overflow_mode: "break",
  // Where nobody waits any more, ClickHouse has nothing to do.
  cancel_http_readonly_queries_on_client_close: 1,
  default_format: "JSONCompact",
  output_format_json_quote_64bit_integers: 1,
  output_format_json_quote_decimals: 1,
  output_format_json_quote_denormals: 1,
  date_time_output_format: "iso",
};

/** What a question begins with. A user who may only read may still do things that are none, such as KILL QUERY. */
const QUESTIONS: ReadonlySet<string> = new Set([
  ...["SELECT", "WITH", "SHOW", "DESCRIBE", "DESC", "EXPLAIN", "EXISTS"],
]);

/** @throws ColdpathError USAGE for a statement that is none, or that sets something for itself or a part of it */
export function requireQuestion(sql: string): void {
  const tokens = [...tokensOf(Buffer.from(sql).toString("latin1"))];
  const first = tokens.find(({ text }) => text !== "(");
  if (first === undefined || !QUESTIONS.has(first.text))
    throw new ColdpathError("USAGE", `expected a question: ${[...QUESTIONS].join(", ")}`);
  // ClickHouse refuses those of the statement, and takes those of a subquery.
  if (tokens.some(({ text }, index) => text === "SETTINGS" && tokens[index + 2]?.text === "="))
    throw new ColdpathError("USAGE", "a question has no SETTINGS of its own");
}

/** @throws ColdpathError USAGE, ClickHouseError, UnreachableError */
export async function answerTo(sql: string, reader: Reader, signal: AbortSignal): Promise<QueryAnswer> {
  const { meta, data, statistics } = parsed(await textOf(reader, sql, signal));
  return {
    columns: meta,
    rows: data.slice(0, ROWS_MAX),
    rowsRead: statistics.rows_read,
    seconds: statistics.elapsed,
    truncated: data.length > ROWS_MAX,
  };
}

async function textOf(reader: Reader, sql: string, signal: AbortSignal): Promise<string> {
  const stream = await reader.clickhouse.stream(sql, {
    at: reader.endpoint(),
    settings: { ...LIMITS, ...reader.settings },
    // ClickHouse should be the one to say that it takes too long.
    timeoutMs: (SECONDS_MAX + 2) * SECOND_MS,
    signal,
  });
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > BYTES_MAX) {
      stream.destroy();
      throw new ColdpathError(
        "USAGE",
        `the answer is larger than ${BYTES_MAX / MIB} MiB: ask for fewer or shorter columns`,
      );
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

/** As `FORMAT JSONCompact` writes it. */
interface CompactJson {
  readonly meta: readonly { readonly name: string; readonly type: string }[];
  readonly data: readonly (readonly unknown[])[];
  readonly statistics: { readonly elapsed: number; readonly rows_read: number };
}

function parsed(text: string): CompactJson {
  let json: Partial<CompactJson> | undefined;
  try {
    json = JSON.parse(text) as Partial<CompactJson>;
  } catch {
    // Told below, as an answer in a shape of its own is.
  }
  if (Array.isArray(json?.data) && Array.isArray(json.meta) && json.statistics !== undefined)
    return json as CompactJson;
  throw new ColdpathError(
    "USAGE",
    "this statement does not answer with a table of its own: leave FORMAT out, and ask one question",
  );
}
