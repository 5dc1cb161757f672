import { readFileSync } from "node:fs";
import { pipeline, type Readable, Transform, type TransformCallback } from "node:stream";
import { type Dispatcher, Pool } from "undici";
import { messageOf } from "../base/errors.js";
import { ClickHouseError, parseException, UnreachableError } from "./error.js";

/** Where a ClickHouse is and who asks. */
export interface ClickHouseOptions {
  /** `http://host:8123` or `https://…`, without credentials. */
  readonly url: string;
  readonly user: string;
  readonly password?: string;
  readonly database: string;
  readonly tls?: {
    readonly ca_file?: string | undefined;
    readonly cert_file?: string | undefined;
    readonly key_file?: string | undefined;
    readonly server_name?: string | undefined;
  };
  /** Sockets kept to the server. Default 8. */
  readonly connections?: number;
}

export type Settings = Readonly<Record<string, string | number>>;

export interface RequestOptions {
  /** Values of `{name:Type}` in the statement, already in ClickHouse's text form. */
  readonly params?: Readonly<Record<string, string | number | bigint>>;
  readonly settings?: Settings;
  readonly queryId?: string;
  /** Whole attempt: connect, send, answer read. Default 60 s. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

export interface InsertRequest extends RequestOptions {
  /** Statement up to and including `FORMAT x`. */
  readonly sql: string;
  readonly body: Buffer | Readable;
  /** Content-Encoding of the body, if it is compressed. */
  readonly encoding?: "lz4" | "gzip";
}

/**
 * One life of one ClickHouse process. Deduplication tokens are only trusted, and unconfirmed attempts only still
 * running, within the same life.
 */
export interface ServerLife {
  readonly host: string;
  /** Unix seconds; the server counts in whole seconds, so equal lives may differ by one. */
  readonly startedAt: number;
}

export function sameLife(a: ServerLife, b: ServerLife): boolean {
  return a.host === b.host && Math.abs(a.startedAt - b.startedAt) <= 1;
}

const DEFAULT_TIMEOUT_MS = 60_000;
/** ClickHouse closes idle connections after 10 s by default, proxies sooner; a socket is not reused after this. */
const KEEP_ALIVE_MS = 2_000;
/** Set on every read: numbers as text so that no digit is lost, and one compact dialect everywhere. */
const READ_SETTINGS: Settings = {
  output_format_json_quote_64bit_integers: 1,
  output_format_json_quote_decimals: 1,
  date_time_output_format: "iso",
};

/**
 * The ClickHouse HTTP interface as the recorder uses it: every answer is read to its end and searched for an exception
 * before it counts as success, each attempt has a deadline of its own, and nothing is retried here.
 */
export class ClickHouse {
  readonly options: ClickHouseOptions;
  readonly #pool: Pool;
  readonly #path: string;

  constructor(options: ClickHouseOptions) {
    this.options = options;
    const url = new URL(options.url);
    this.#path = url.pathname;
    const tls = options.tls;
    this.#pool = new Pool(url.origin, {
      connections: options.connections ?? 8,
      pipelining: 1,
      keepAliveTimeout: KEEP_ALIVE_MS,
      keepAliveMaxTimeout: KEEP_ALIVE_MS,
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: {
        timeout: 10_000,
        ...(tls?.ca_file ? { ca: readFileSync(tls.ca_file) } : {}),
        ...(tls?.cert_file ? { cert: readFileSync(tls.cert_file) } : {}),
        ...(tls?.key_file ? { key: readFileSync(tls.key_file) } : {}),
        ...(tls?.server_name ? { servername: tls.server_name } : {}),
      },
    });
  }

  /** Runs a statement and returns its whole answer as text. Name the format in the statement. */
  async text(sql: string, options: RequestOptions = {}): Promise<string> {
    return (await this.#send(sql, undefined, { wait_end_of_query: 1 }, options)).text;
  }

  /** Runs a SELECT (no FORMAT clause) and returns its rows; 64-bit integers and decimals come as strings. */
  async rows<T>(sql: string, options: RequestOptions = {}): Promise<T[]> {
    const text = await this.text(`${sql}\nFORMAT JSONEachRow`, {
      ...options,
      settings: { ...READ_SETTINGS, ...options.settings },
    });
    return text === "" ? [] : (JSON.parse(`[${text.trimEnd().replaceAll("\n", ",")}]`) as T[]);
  }

  /** Runs a statement for its effect. */
  async command(sql: string, options: RequestOptions = {}): Promise<void> {
    await this.text(sql, options);
  }

  /** Sends one INSERT and reads the answer to its end. Resolves only on a success without an exception in it. */
  async insert(request: InsertRequest): Promise<void> {
    await this.#send(request.sql, request, { wait_end_of_query: 1 }, request);
  }

  /**
   * Runs a SELECT and hands out the answer as it comes; `format` is the default when the statement names none. An
   * exception in mid-answer destroys the stream with a {@link ClickHouseError}.
   */
  async stream(sql: string, options: RequestOptions & { format?: string } = {}): Promise<Readable> {
    const settings = options.format === undefined ? {} : { default_format: options.format };
    const { body, tag } = await this.#request(sql, undefined, settings, options);
    return pipeline(body, new ExceptionAtEnd(tag), () => {});
  }

  /** Which life of which server answers. */
  async life(options: RequestOptions = {}): Promise<ServerLife> {
    const answer = await this.#send(
      "SELECT toUnixTimestamp(now()) - uptime() FORMAT TSV",
      undefined,
      { wait_end_of_query: 1 },
      options,
    );
    if (!/^\d+\n?$/.test(answer.text)) throw notClickHouse(this.options.url, 200);
    return { host: answer.host, startedAt: Number(answer.text) };
  }

  /** Ends the connections; requests in flight are cut off. */
  async close(): Promise<void> {
    await this.#pool.destroy();
  }

  async #send(
    sql: string,
    insert: InsertRequest | undefined,
    settings: Settings,
    options: RequestOptions,
  ): Promise<{ text: string; host: string }> {
    const { body, status, host } = await this.#request(sql, insert, settings, options);
    const text = await body.text().catch((cause: unknown) => {
      throw unreachable(this.options.url, cause, false);
    });
    // An INSERT answers nothing, so any exception text is one; a SELECT's result may quote one, but then not at its end.
    const error =
      insert !== undefined || text.endsWith(")\n") ? parseException(tail(text), status) : undefined;
    if (error !== undefined && (insert !== undefined || error.type !== "")) throw error;
    if (insert !== undefined && text !== "") throw notClickHouse(this.options.url, status);
    return { text, host };
  }

  async #request(
    sql: string,
    insert: InsertRequest | undefined,
    settings: Settings,
    options: RequestOptions,
  ): Promise<{ body: Dispatcher.ResponseData["body"]; status: number; host: string; tag: string }> {
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries({ ...settings, ...options.settings }))
      query.set(name, String(value));
    for (const [name, value] of Object.entries(options.params ?? {}))
      query.set(`param_${name}`, String(value));
    if (options.queryId !== undefined) query.set("query_id", options.queryId);
    if (insert !== undefined) query.set("query", sql);
    const deadline = AbortSignal.timeout(options.timeoutMs ?? DEFAULT_TIMEOUT_MS);
    const signal = options.signal === undefined ? deadline : AbortSignal.any([deadline, options.signal]);
    signal.throwIfAborted();
    let answer: Dispatcher.ResponseData;
    try {
      answer = await this.#pool.request({
        method: "POST",
        path: `${this.#path}?${query}`,
        headers: {
          "x-clickhouse-user": this.options.user,
          ...(this.options.password ? { "x-clickhouse-key": this.options.password } : {}),
          "x-clickhouse-database": this.options.database,
          ...(insert?.encoding === undefined ? {} : { "content-encoding": insert.encoding }),
        },
        body: insert === undefined ? sql : insert.body,
        signal,
      });
    } catch (cause) {
      throw unreachable(this.options.url, cause, !deadline.aborted);
    }
    const { statusCode: status, headers, body } = answer;
    const code = headers["x-clickhouse-exception-code"];
    if (status !== 200 || code !== undefined) {
      const text = await body.text().catch(() => "");
      const error = parseException(text, status);
      if (error !== undefined) throw error;
      if (code !== undefined)
        throw new ClickHouseError(Number(code), "", status, `Code: ${code}. ${text.trim()}`);
      throw notClickHouse(this.options.url, status);
    }
    // Something in between may answer anything with a 200, and an INSERT it swallowed would be lost.
    if (!SIGNS.some((name) => headers[name] !== undefined)) {
      await body.dump();
      throw notClickHouse(this.options.url, status);
    }
    const host = String(headers["x-clickhouse-server-display-name"] ?? "");
    return { body, status, host, tag: String(headers["x-clickhouse-exception-tag"] ?? "") };
  }
}

/** Exception texts are at most this far from the end of an answer. */
const TAIL_CHARS = 16_384;

function tail(text: string): string {
  return text.length <= TAIL_CHARS ? text : text.slice(-TAIL_CHARS);
}

/** Errors of a connection that was never made: the statement cannot have run. */
const NEVER_SENT: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "UND_ERR_CONNECT_TIMEOUT",
]);

/** Headers of which every answer of a ClickHouse has at least one. */
const SIGNS = ["x-clickhouse-server-display-name", "x-clickhouse-query-id", "x-clickhouse-summary"];

function notClickHouse(url: string, status: number): UnreachableError {
  return new UnreachableError(`${url} answered ${status} without being a ClickHouse`, { status });
}

function unreachable(url: string, cause: unknown, mayBeUnsent: boolean): UnreachableError {
  const code = (cause as { code?: unknown } | null)?.code;
  const name = (cause as { name?: unknown } | null)?.name;
  const reason = name === "TimeoutError" ? "no answer before the deadline" : messageOf(cause);
  return new UnreachableError(`ClickHouse at ${url}: ${reason}`, {
    cause,
    neverSent: mayBeUnsent && typeof code === "string" && NEVER_SENT.has(code),
  });
}

/**
 * Since 25.11 an exception in mid-answer ends it with `__exception__`, the tag that a header announced, the text, its
 * length and again tag and marker.
 */
const MARKER = "__exception__";

/** Passes an answer through and fails in place of ending when its last bytes are an exception. */
class ExceptionAtEnd extends Transform {
  readonly #opening: string;
  readonly #closing: string;
  #end = "";

  constructor(tag: string) {
    super();
    this.#opening = `${MARKER}\r\n${tag}`;
    this.#closing = ` ${tag}\r\n${MARKER}\r\n`;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#end = tail(this.#end + chunk.subarray(-TAIL_CHARS).toString("latin1"));
    done(null, chunk);
  }

  override _flush(done: TransformCallback): void {
    const at = this.#end.lastIndexOf(this.#opening);
    if (at < 0 || !this.#end.endsWith(this.#closing)) {
      done();
      return;
    }
    const length = this.#end.lastIndexOf("\n", this.#end.length - this.#closing.length);
    const text = Buffer.from(this.#end.slice(at + this.#opening.length, length), "latin1").toString("utf8");
    done(parseException(text, 200) ?? null);
  }
}
