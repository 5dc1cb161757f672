import { type Readable, Transform, type TransformCallback } from "node:stream";
import type { Dispatcher } from "undici";
import { ColdpathError } from "../base/errors.js";
import type { TlsFiles } from "./connector.js";
import { type Endpoint, Endpoints } from "./endpoints.js";
import { ClickHouseError, parseException, UnreachableError } from "./error.js";
import { whyUnreachable } from "./why-unreachable.js";

/** Where a ClickHouse is and who asks. */
export interface ClickHouseOptions {
  /** `http://host:8123` or `https://…`, without credentials; or those of all replicas of one set, the preferred one first. */
  readonly url: string | readonly string[];
  readonly user: string;
  readonly password?: string;
  readonly database: string;
  readonly tls?: TlsFiles;
  /** Sockets kept to each server. Default 8. */
  readonly connections?: number;
}

export type Settings = Readonly<Record<string, string | number>>;

export interface RequestOptions {
  /** Database of names without one, in place of the client's. */
  readonly database?: string;
  /** Address of the endpoint to ask. Default: the one in use. */
  readonly at?: string;
  /** Values of `{name:Type}` in the statement, already in ClickHouse's text form. */
  readonly params?: Readonly<Record<string, string | number | bigint>>;
  readonly settings?: Settings;
  readonly queryId?: string;
  /** Whole attempt: connect, send, answer read. Default 60 s. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  /** Told the name that the server which answers gives itself: behind one address may be several. */
  readonly onAnswer?: (host: string) => void;
}

export interface InsertRequest extends RequestOptions {
  /** Statement up to and including `FORMAT x`. */
  readonly sql: string;
  readonly body: Buffer | Readable;
  /** Content-Encoding of the body, if it is compressed. */
  readonly encoding?: "lz4" | "gzip" | "zstd";
}

/**
 * One life of one ClickHouse process. Deduplication tokens are only trusted, and unconfirmed attempts only still
 * running, within the same life.
 */
export interface ServerLife {
  /** The address it was reached at. */
  readonly endpoint: string;
  /** The name it gives itself, which two servers may share. */
  readonly host: string;
  /** Unix seconds; the server counts in whole seconds, so equal lives may differ by one. */
  readonly startedAt: number;
}

export function sameLife(a: ServerLife, b: ServerLife): boolean {
  return a.endpoint === b.endpoint && a.host === b.host && Math.abs(a.startedAt - b.startedAt) <= 1;
}

const DEFAULT_TIMEOUT_MS = 60_000;
/** An endpoint that says nothing for so long is passed over at start. */
const CONNECT_DEADLINE_MS = 10_000;
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
  readonly #endpoints: Endpoints;
  readonly #credentials: Readonly<Record<string, string>>;

  /** @throws ColdpathError CONFIG_INVALID for credentials that no header can carry */
  constructor(options: ClickHouseOptions) {
    this.options = options;
    this.#credentials = {
      "x-clickhouse-user": headerText("clickhouse.user", options.user),
      ...(options.password
        ? { "x-clickhouse-key": headerText("clickhouse.password", options.password) }
        : {}),
    };
    this.#endpoints = new Endpoints([options.url].flat(), {
      connections: options.connections ?? 8,
      ...(options.tls === undefined ? {} : { tls: options.tls }),
    });
  }

  /** All addresses, the preferred one first. */
  get endpoints(): readonly string[] {
    return this.#endpoints.all.map(({ url }) => url);
  }

  /** The address in use. */
  get endpoint(): string {
    return this.#endpoints.current.url;
  }

  /** From now on requests go to that address; those under way elsewhere are cut off, their outcome unknown. */
  use(url: string): void {
    this.#endpoints.use(this.#endpoints.at(url));
  }

  /**
   * Uses the first endpoint that answers, each within that time.
   * @throws ClickHouseError if one answers and refuses us, UnreachableError if none does, with the reason of each
   */
  async connect(timeoutMs: number = CONNECT_DEADLINE_MS): Promise<ServerLife> {
    const reasons: UnreachableError[] = [];
    for (const url of this.endpoints) {
      try {
        const life = await this.life({ at: url, timeoutMs });
        this.use(url);
        return life;
      } catch (error) {
        if (!(error instanceof UnreachableError)) throw error;
        reasons.push(withTlsHint(url, this.options.tls, error));
      }
    }
    if (reasons.length === 1) throw reasons[0]!;
    throw new UnreachableError(reasons.map(({ message }) => message).join("; "), { cause: reasons[0] });
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
      throw parseException(text, 200) ?? notClickHouse(options.at ?? this.endpoint, 200);
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
    const { body, tag, url } = await this.#request(sql, undefined, settings, options);
    const answer = new ExceptionAtEnd(url, tag);
    body.once("error", (cause) => answer.destroy(unreachable(url, cause, false)));
    answer.once("close", () => body.destroy());
    return body.pipe(answer);
  }

  /** Which life of which server answers. */
  async life(options: RequestOptions = {}): Promise<ServerLife> {
    const answer = await this.#send(
      "SELECT toUnixTimestamp(now()) - uptime() FORMAT TSV",
      undefined,
      { wait_end_of_query: 1 },
      // Ours may not be there yet.
      { ...options, database: "system" },
    );
    if (!/^\d+\n?$/.test(answer.text)) throw notClickHouse(answer.url, 200);
    return { endpoint: answer.url, host: answer.host, startedAt: Number(answer.text) };
  }

  /** Ends the connections; requests in flight are cut off. */
  async close(): Promise<void> {
    await this.#endpoints.close();
  }

  async #send(
    sql: string,
    insert: InsertRequest | undefined,
    settings: Settings,
    options: RequestOptions,
  ): Promise<{ text: string; host: string; url: string }> {
    const { body, status, host, tag, url } = await this.#request(sql, insert, settings, options);
    const text = await body.text().catch((cause: unknown) => {
      throw unreachable(url, cause, false);
    });
    // An INSERT answers nothing, so any exception text is one; a SELECT's result may quote one, but then not at its end.
    const end = this.#withoutPassword(tail(text));
    const error =
      insert === undefined
        ? (taggedException(url, end, tag) ?? exceptionAtEnd(end))
        : parseException(end, status);
    if (error !== undefined) throw error;
    if (insert !== undefined && text !== "") throw notClickHouse(url, status);
    return { text, host, url };
  }

  async #request(
    sql: string,
    insert: InsertRequest | undefined,
    settings: Settings,
    options: RequestOptions,
  ): Promise<Answer> {
    const endpoint = options.at === undefined ? this.#endpoints.current : this.#endpoints.at(options.at);
    const { url } = endpoint;
    const watch = new Watch(options.timeoutMs ?? DEFAULT_TIMEOUT_MS, options.signal);
    let answer: Dispatcher.ResponseData;
    try {
      await endpoint.ready();
      watch.signal.throwIfAborted();
      answer = await endpoint.pool.request({
        method: "POST",
        path: pathOf(endpoint, sql, insert, settings, options),
        headers: {
          ...this.#credentials,
          "x-clickhouse-database": options.database ?? this.options.database,
          ...(insert?.encoding === undefined ? {} : { "content-encoding": insert.encoding }),
        },
        body: insert === undefined ? sql : insert.body,
        signal: watch.signal,
      });
    } catch (cause) {
      watch.end();
      throw unreachable(url, cause, !watch.signal.aborted);
    }
    endpoint.answered();
    answer.body.once("close", () => watch.end());
    const { statusCode: status, headers, body } = answer;
    const code = headers["x-clickhouse-exception-code"];
    if (status !== 200 || code !== undefined) {
      const text = this.#withoutPassword(await body.text().catch(() => ""));
      const error = parseException(text, status);
      // A page of something in between may quote an exception; only ClickHouse's own answer carries its headers.
      if (error !== undefined && (code !== undefined || isClickHouse(headers))) throw error;
      if (/^\d+$/.test(String(code)))
        throw new ClickHouseError(Number(code), "", status, `Code: ${code}. ${text.trim()}`);
      throw notClickHouse(url, status, headers);
    }
    // Something in between may answer anything with a 200, and an INSERT it swallowed would be lost.
    if (!isClickHouse(headers)) {
      await body.dump();
      throw notClickHouse(url, status);
    }
    const host = String(headers["x-clickhouse-server-display-name"] ?? "");
    options.onAnswer?.(host);
    return { body, status, host, url, tag: String(headers["x-clickhouse-exception-tag"] ?? "") };
  }

  /** A text of the server's that quotes the request may quote its headers. */
  #withoutPassword(text: string): string {
    const { password } = this.options;
    return password ? text.replaceAll(password, "***") : text;
  }
}

/** The head of a success, its body unread. */
interface Answer {
  readonly body: Dispatcher.ResponseData["body"];
  readonly status: number;
  /** The name that the server gives itself. */
  readonly host: string;
  /** The endpoint that was asked. */
  readonly url: string;
  readonly tag: string;
}

function pathOf(
  endpoint: Endpoint,
  sql: string,
  insert: InsertRequest | undefined,
  settings: Settings,
  options: RequestOptions,
): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries({ ...settings, ...options.settings }))
    query.set(name, String(value));
  for (const [name, value] of Object.entries(options.params ?? {})) query.set(`param_${name}`, String(value));
  if (options.queryId !== undefined) query.set("query_id", options.queryId);
  if (insert !== undefined) query.set("query", sql);
  return `${endpoint.path}?${query}`;
}

/** Exception texts are at most this far from the end of an answer. */
const TAIL_CHARS = 16_384;

function tail(text: string): string {
  return text.length <= TAIL_CHARS ? text : text.slice(-TAIL_CHARS);
}

/** Headers of which every answer of a ClickHouse has at least one. */
const SIGNS = ["x-clickhouse-server-display-name", "x-clickhouse-query-id", "x-clickhouse-summary"];

function isClickHouse(headers: Dispatcher.ResponseData["headers"]): boolean {
  return SIGNS.some((name) => headers[name] !== undefined);
}

/** What a status without a ClickHouse behind it asks for. */
const ADVICE: Readonly<Record<number, string>> = {
  401: "something in between wants credentials of its own",
  403: "something in between refuses us",
  404: "check host, port and path of clickhouse.url",
  407: "a proxy wants credentials of its own",
  411: "something in between refuses bodies without Content-Length",
  413: "the body is too large for something in between; raise its limit (nginx: client_max_body_size)",
};

/** The longest that an answer may make us wait, milliseconds. */
const RETRY_AFTER_MAX_MS = 60_000;

function notClickHouse(
  url: string,
  status: number,
  headers: Dispatcher.ResponseData["headers"] = {},
): UnreachableError {
  const { location } = headers;
  const advice = typeof location === "string" ? redirectAdvice(url, location) : ADVICE[status];
  const seconds = Number(headers["retry-after"]);
  const message = `${url} answered ${status} without being a ClickHouse${advice === undefined ? "" : `: ${advice}`}`;
  return new UnreachableError(message, {
    endpoint: url,
    status,
    ...(seconds > 0 ? { retryAfterMs: Math.min(seconds * 1000, RETRY_AFTER_MAX_MS) } : {}),
  });
}

/** Only the origin: the rest may quote our statement. */
function redirectAdvice(url: string, location: string): string {
  const target = URL.canParse(location, url) ? new URL(location, url).origin : "elsewhere";
  return `it redirects to ${target}, and rows are not sent after a redirect; name the server itself in clickhouse.url`;
}

function unreachable(url: string, cause: unknown, mayBeUnsent: boolean): UnreachableError {
  const { reason, neverSent } = whyUnreachable(cause);
  return new UnreachableError(`ClickHouse at ${url}: ${reason}`, {
    cause,
    endpoint: url,
    neverSent: mayBeUnsent && neverSent,
  });
}

/**
 * At the first contact a closed connection or a 400 has likely reasons: a TLS port spoken to in plain text, or a client certificate
 * that is wanted and not there (TLS 1.3 learns of that only after the handshake).
 */
function withTlsHint(url: string, tls: TlsFiles | undefined, error: UnreachableError): UnreachableError {
  const wasClosed = CLOSED.has(String((error.cause as { code?: unknown } | undefined)?.code));
  if (!wasClosed && error.status !== 400) return error;
  const isPlain = url.toLowerCase().startsWith("http:");
  if (!isPlain && tls?.cert_file !== undefined) return error;
  const hint = isPlain
    ? "if the port speaks TLS, use https://"
    : "it may want a client certificate: clickhouse.tls.cert_file and key_file";
  return new UnreachableError(`${error.message}; ${hint}`, { ...error, cause: error.cause });
}

const CLOSED: ReadonlySet<string> = new Set(["UND_ERR_SOCKET", "ECONNRESET", "EPIPE"]);

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
