import type { IncomingHttpHeaders } from "node:http";
import { refusal } from "./exception.js";
import { refuseForbiddenSetting } from "./forbidden.js";
import { readSession, type SessionHead } from "./session-head.js";

/** Everything a request says beside its statement and data. */
export interface RequestHead {
  /** Text of the `query` parameter. */
  readonly query: string;
  readonly queryId: string | undefined;
  readonly database: string | undefined;
  /** Format of a result whose statement names none. */
  readonly defaultFormat: string;
  /** Send nothing before the end is known, so that the status tells success. */
  readonly waitForEnd: boolean;
  readonly settings: ReadonlyMap<string, string>;
  readonly params: ReadonlyMap<string, string>;
  readonly credentials: Credentials;
  readonly session: SessionHead | undefined;
  /** How the body is compressed, as `FROM INFILE … COMPRESSION` calls it. */
  readonly compression: string;
  /** The body comes in ClickHouse's own compressed blocks. */
  readonly hasBlocks: boolean;
  readonly answer: AnswerForm;
}

/** How the client wants the body of the answer. */
export interface AnswerForm {
  /** In ClickHouse's own compressed blocks. */
  readonly inBlocks: boolean;
  /** Protocol revision of the client, which changes the Native format; 0 without one. */
  readonly revision: number;
  /** `Accept-Encoding`, unless compression is switched off. */
  readonly acceptEncoding: string | undefined;
  /** Of the `Content-Encoding`, as the setting `http_zlib_compression_level`. */
  readonly level: number;
}

export interface Credentials {
  readonly user: string;
  /** Empty when none was given. */
  readonly password: string;
}

/** Parameters that steer the interface itself. Any other one is a setting. */
const OWN_PARAMETERS = new Set([
  "query",
  "query_id",
  "database",
  "default_format",
  "wait_end_of_query",
  "buffer_size",
  "user",
  "password",
  "quota_key",
  "client_protocol_version",
  "stacktrace",
  "compress",
  "decompress",
  "session_id",
  "session_check",
  "session_timeout",
]);
/** Default of `http_zlib_compression_level`. */
const DEFAULT_LEVEL = 3;

const COMPRESSIONS = new Set(["gzip", "deflate", "br", "zstd", "lz4", "xz", "snappy"]);

/**
 * Reads the head of a request.
 *
 * @param fields of a form in its body
 * @throws ClickHouseError for what is not understood
 */
export function readHead(
  url: string,
  headers: IncomingHttpHeaders,
  fields: URLSearchParams = new URLSearchParams(),
): RequestHead {
  const at = url.indexOf("?");
  const parameters = new URLSearchParams(at < 0 ? "" : url.slice(at + 1));
  for (const [name, value] of fields) parameters.append(name, value);
  const settings = new Map<string, string>();
  const params = new Map<string, string>();
  for (const [name, value] of parameters) {
    if (OWN_PARAMETERS.has(name)) continue;
    if (!/^[a-z]\w*$/i.test(name)) throw refusal(115, "UNKNOWN_SETTING", `Unknown setting '${name}'.`);
    refuseForbiddenSetting(name);
    if (name.startsWith("param_")) params.set(name.slice("param_".length), value);
    else settings.set(name, value);
  }
  return {
    query: parameters.get("query") ?? "",
    queryId: readQueryId(parameters.get("query_id")),
    database: parameters.get("database") || header(headers, "x-clickhouse-database"),
    defaultFormat: readFormat(
      parameters.get("default_format") || header(headers, "x-clickhouse-format") || "TabSeparated",
    ),
    waitForEnd: isTrue(parameters.get("wait_end_of_query")),
    settings,
    params,
    credentials: readCredentials(parameters, headers),
    session: readSession(parameters),
    compression: readCompression(headers),
    hasBlocks: isTrue(parameters.get("decompress")),
    answer: {
      inBlocks: isTrue(parameters.get("compress")),
      revision: readRevision(parameters.get("client_protocol_version")),
      acceptEncoding: isTrue(settings.get("enable_http_compression") ?? "1")
        ? header(headers, "accept-encoding")
        : undefined,
      level: Number(settings.get("http_zlib_compression_level") ?? DEFAULT_LEVEL) || DEFAULT_LEVEL,
    },
  };
}

/** Comes back in a header and stands in the engine's log comment. */
const QUERY_ID_MAX = 1000;

function readQueryId(id: string | null): string | undefined {
  if (id === null || id === "") return undefined;
  if (id.length <= QUERY_ID_MAX) return id;
  throw refusal(36, "BAD_ARGUMENTS", `A query_id may have ${QUERY_ID_MAX} characters.`);
}

/** Whether a request asks for its answer, be it an exception, in ClickHouse's own compressed blocks. */
export function wantsBlocks(url: string): boolean {
  const at = url.indexOf("?");
  return at >= 0 && isTrue(new URLSearchParams(url.slice(at + 1)).get("compress"));
}

function readRevision(value: string | null): number {
  if (value === null || value === "") return 0;
  if (!/^\d{1,9}$/.test(value)) {
    throw refusal(27, "CANNOT_PARSE_INPUT_ASSERTION_FAILED", "client_protocol_version is no number.");
  }
  return Number(value);
}

function header(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name];
  return typeof value === "string" && value !== "" ? value : undefined;
}

function readFormat(name: string): string {
  if (!/^\w+$/.test(name)) throw refusal(73, "UNKNOWN_FORMAT", `Unknown format ${JSON.stringify(name)}.`);
  return name;
}

/** Whether a parameter or setting is on. */
export function isTrue(value: string | null | undefined): boolean {
  return value !== null && value !== undefined && value !== "" && value !== "0" && value !== "false";
}

function readCompression(headers: IncomingHttpHeaders): string {
  const encoding = headers["content-encoding"]?.toLowerCase() ?? "";
  if (encoding === "" || encoding === "identity") return "none";
  if (!COMPRESSIONS.has(encoding)) {
    throw refusal(
      48,
      "NOT_IMPLEMENTED",
      `Unknown compression method '${encoding}' in header Content-Encoding.`,
    );
  }
  return encoding;
}

function readCredentials(parameters: URLSearchParams, headers: IncomingHttpHeaders): Credentials {
  const basic = /^Basic (.+)$/i.exec(headers.authorization ?? "")?.[1];
  if (basic !== undefined) {
    const [user, ...rest] = Buffer.from(basic, "base64").toString("utf8").split(":");
    return { user: user || "default", password: rest.join(":") };
  }
  return {
    user: header(headers, "x-clickhouse-user") ?? (parameters.get("user") || "default"),
    password: header(headers, "x-clickhouse-key") ?? parameters.get("password") ?? "",
  };
}
