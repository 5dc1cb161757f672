import { readFileSync } from "node:fs";
import { type Readable, Transform, type TransformCallback } from "node:stream";
import { type Dispatcher, Pool } from "undici";
import { ColdpathError, messageOf } from "../base/errors.js";
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
  readonly #credentials: Readonly<Record<string, string>>;

  /** @throws ColdpathError CONFIG_INVALID for credentials that no header can carry */
  constructor(options: ClickHouseOptions) {
    this.options = options;
    const url = new URL(options.url);
    this.#path = url.pathname;
    this.#credentials = {
      "x-clickhouse-user": headerText("clickhouse.user", options.user),
      ...(options.password
        ? { "x-clickhouse-key": headerText("clickhouse.password", options.password) }
        : {}),
    };
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
    try {
      return text === "" ? [] : (JSON.parse(`[${text.trimEnd().replaceAll("\n", ",")}]`) as T[]);
    } catch {
      throw parseException(text, 200) ?? notClickHouse(this.options.url, 200);
    }
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
    const answer = new ExceptionAtEnd(this.options.url, tag);
    body.once("error", (cause) => answer.destroy(unreachable(this.options.url, cause, false)));
    answer.once("close", () => body.destroy());
    return body.pipe(answer);
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
    const { body, status, host, tag } = await this.#request(sql, insert, settings, options);
    const text = await body.text().catch((cause: unknown) => {
      throw unreachable(this.options.url, cause, false);
    });
    // An INSERT answers nothing, so any exception text is one; a SELECT's result may quote one, but then not at its end.
    const error =
      insert === undefined
        ? (taggedException(this.options.url, tail(text), tag) ?? exceptionAtEnd(tail(text)))
        : parseException(tail(text), status);
    if (error !== undefined) throw error;
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
    const watch = new Watch(options.timeoutMs ?? DEFAULT_TIMEOUT_MS, options.signal);
    let answer: Dispatcher.ResponseData;
    try {
      watch.signal.throwIfAborted();
      answer = await this.#pool.request({
        method: "POST",
        path: `${this.#path}?${query}`,
        headers: {
          ...this.#credentials,
          "x-clickhouse-database": this.options.database,
          ...(insert?.encoding === undefined ? {} : { "content-encoding": insert.encoding }),
        },
        body: insert === undefined ? sql : insert.body,
        signal: watch.signal,
      });
    } catch (cause) {
      watch.end();
      throw unreachable(this.options.url, cause, !watch.signal.aborted);
    }
    answer.body.once("close", () => watch.end());
    const { statusCode: status, headers, body } = answer;
    const code = headers["x-clickhouse-exception-code"];
    if (status !== 200 || code !== undefined) {
      const text = await body.text().catch(() => "");
      const error = parseException(text, status);
      // A page of something in between may quote an exception; only ClickHouse's own answer carries its headers.
      if (error !== undefined && (code !== undefined || isClickHouse(headers))) throw error;
      if (/^\d+$/.test(String(code)))
        throw new ClickHouseError(Number(code), "", status, `Code: ${code}. ${text.trim()}`);
      throw notClickHouse(this.options.url, status);
    }
    // Something in between may answer anything with a 200, and an INSERT it swallowed would be lost.
    if (!isClickHouse(headers)) {
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

function isClickHouse(headers: Dispatcher.ResponseData["headers"]): boolean {
  return SIGNS.some((name) => headers[name] !== undefined);
}

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

/** The exception that an announced tag marks at the end of an answer. */
function taggedException(url: string, end: string, tag: string): Error | undefined {
  const opening = `${MARKER}\r\n${tag}`;
  const closing = ` ${tag}\r\n${MARKER}\r\n`;
  const at = end.lastIndexOf(opening);
  if (tag === "" || at < 0 || !end.endsWith(closing)) return undefined;
  const length = end.lastIndexOf("\n", end.length - closing.length);
  return parseException(end.slice(at + opening.length, length), 200) ?? notClickHouse(url, 200);
}

/** An exception with its name as the very end of an answer, as servers before 25.11 leave it. */
function exceptionAtEnd(end: string): ClickHouseError | undefined {
  const error = end.endsWith(")\n") || end.endsWith(")") ? parseException(end, 200) : undefined;
  return error?.type === "" ? undefined : error;
}

/** Passes an answer through and fails in place of ending when its last bytes are an exception. */
class ExceptionAtEnd extends Transform {
  readonly #url: string;
  readonly #tag: string;
  #end = "";

  constructor(url: string, tag: string) {
    super();
    this.#url = url;
    this.#tag = tag;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#end = tail(this.#end + chunk.subarray(-TAIL_CHARS).toString("latin1"));
    done(null, chunk);
  }

  override _flush(done: TransformCallback): void {
    const end = Buffer.from(this.#end, "latin1").toString("utf8");
    const error = this.#tag === "" ? exceptionAtEnd(end) : taggedException(this.#url, end, this.#tag);
    done(error ?? null);
  }
}

/**
 * Aborts one request at its deadline or when its caller does. Not `AbortSignal.any`, which leaves an entry for each request in
 * a caller's signal that lives as long as the process.
 */
class Watch {
  readonly #controller = new AbortController();
  readonly #timer: NodeJS.Timeout;
  readonly #caller: AbortSignal | undefined;
  readonly #onAbort = (): void => this.#controller.abort(this.#caller!.reason);

  constructor(timeoutMs: number, caller: AbortSignal | undefined) {
    this.#caller = caller;
    this.#timer = setTimeout(() => {
      this.#controller.abort(new DOMException("no answer before the deadline", "TimeoutError"));
    }, timeoutMs).unref();
    if (caller?.aborted) this.#onAbort();
    else caller?.addEventListener("abort", this.#onAbort);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** The request is over. */
  end(): void {
    clearTimeout(this.#timer);
    this.#caller?.removeEventListener("abort", this.#onAbort);
  }
}

/** A header's text whose bytes are the UTF-8 that ClickHouse expects. */
function headerText(key: string, text: string): string {
  if (/\p{Cc}/u.test(text)) throw new ColdpathError("CONFIG_INVALID", `${key} holds a control character`);
  return Buffer.from(text, "utf8").toString("latin1");
}
