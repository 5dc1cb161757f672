import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { Readable } from "node:stream";
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import { Guests } from "../base/guests.js";
import { KIB, MIB, SECOND_MS } from "../base/units.js";
import { authenticate, authorize, foreignCaller, isLoopback, type Role } from "./access.js";
import {
  contentTypeOf,
  exceptionTag,
  exceptionTrailer,
  headerText,
  sendException,
  summaryOf,
} from "./answer.js";
import { packAnswer, sendWhole } from "./answer-body.js";
import { BLOCK_MAX, decompressedBlocks, requireBlocks } from "./compressed-block.js";
import { refusal } from "./exception.js";
import { type Counts, type Executor, NOTHING } from "./executor.js";
import { refuseForbiddenIdentifiers } from "./forbidden.js";
import { isForm, readForm } from "./form.js";
import { type EngineLimits, READER_STATEMENT_MAX } from "./limits.js";
import type { ResultFormat } from "./native-revision.js";
import { progressText } from "./progress.js";
import { displayName, type Timeouts } from "./protocol.js";
import { type Received, readStatement, tooLong } from "./read-statement.js";
import { ActiveRequest, type Registry } from "./registry.js";
import { type AnswerForm, isTrue, type RequestHead, readHead, wantsBlocks } from "./request.js";
import { HELD_BACK } from "./result-stream.js";
import type { Acquired, SessionStore } from "./session-store.js";
import type { Leaves, Setup } from "./setup.js";
import { cutStalled } from "./stall-guard.js";
import type { InsertStatement, SelectStatement, Statement } from "./statement.js";
import type { WholeResult } from "./whole-result.js";

/** What the interface needs to know of the engine behind it. */
export interface Interface {
  readonly executor: Executor;
  readonly registry: Registry;
  readonly sessions: SessionStore;
  readonly secret: string;
  readonly secretFile: string;
  readonly bootId: string;
  readonly version: string;
  readonly timeZone: string;
  readonly listenHost: string;
  readonly limits: EngineLimits;
  readonly timeouts: Timeouts;
}

const KEEP_ALIVE_MS = 10 * SECOND_MS;
/** The query may stand in the URL; servers take one of a mebibyte too. */
const HEAD_MAX = MIB;
/** Of a request's headers without its URL. */
const HEADERS_MAX = 100;
const HEADER_BYTES_MAX = 64 * KIB;

/** Connections without the password that are kept; a usual client opens ten. */
const GUESTS_MAX = 256;

const METHODS = "OPTIONS, HEAD, GET, POST";

/** The ClickHouse HTTP interface, as described in `docs/reference/engine-http.md`. */
export function createServer(engine: Interface): FastifyInstance {
  const app = fastify({
    exposeHeadRoutes: false,
    forceCloseConnections: "idle",
    keepAliveTimeout: KEEP_ALIVE_MS,
    http: {
      maxHeaderSize: HEAD_MAX,
      headersTimeout: engine.timeouts.headersMs,
      connectionsCheckingInterval: engine.timeouts.headersMs / 4,
    },
  });
  // Node drops headers beyond the count without a word; one more shows that there were too many.
  app.server.maxHeadersCount = HEADERS_MAX + 1;
  const guests = new Guests(app.server, GUESTS_MAX);
  app.removeAllContentTypeParsers();
  // Bodies are read where they are needed, as they come.
  app.addContentTypeParser("*", (_request, payload, done) => done(null, payload));
  app.addHook("onRequest", async (request, reply) => {
    reply.header("x-clickhouse-server-display-name", displayName(engine.bootId));
    const reason = foreignCaller(request.headers, engine.listenHost);
    if (reason !== undefined) return reply.code(403).type("text/plain").send(`${reason}\n`);
    if (areTooMany(request.raw.rawHeaders)) {
      const text = `A request may have ${HEADERS_MAX} headers of ${HEADER_BYTES_MAX} bytes together.\n`;
      return reply.code(431).header("connection", "close").type("text/plain").send(text);
    }
  });
  for (const url of ["/ping", "/replicas_status"]) {
    const handler = async (_request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> =>
      reply.type("text/html; charset=UTF-8").send("Ok.\n");
    app.route({ method: ["GET", "HEAD"], url, handler });
  }
  app.route({
    method: ["GET", "HEAD", "POST"],
    url: "/",
    handler: (request, reply) => handle(engine, guests, request, reply),
  });
  // Pages of other origins did not get here, and those of the engine's own need no permission.
  app.options("*", async (_request, reply) => reply.code(204).header("allow", METHODS).send());
  app.setErrorHandler((error, request, reply) =>
    sendException(reply, error, engine.version, wantsBlocks(request.raw.url ?? "")),
  );
  app.setNotFoundHandler((request, reply) =>
    reply.code(404).type("text/plain").send(`There is no handle ${request.url}\n`),
  );
  return app;
}

/** @param headers names and values in turn, as they came */
function areTooMany(headers: readonly string[]): boolean {
  const bytes = headers.reduce((sum, text) => sum + text.length, 0);
  return headers.length / 2 > HEADERS_MAX || bytes > HEADER_BYTES_MAX;
}

async function handle(
  engine: Interface,
  guests: Guests,
  http: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { limits, timeouts } = engine;
  cutStalled(http.raw, reply.raw, timeouts.stallMs);
  drainAfter(http, reply);
  const { head, body } = await receive(http);
  if (http.method !== "POST" && head.query === "") {
    return reply.type("text/html; charset=UTF-8").send("Ok.\n");
  }
  const queryId = head.queryId ?? randomUUID();
  reply.header("x-clickhouse-query-id", headerText(queryId));
  const role = authenticate(head.credentials, engine.secret, limits.reader.enabled && isLoopback(http.ip));
  if (role === "owner") guests.letIn(http.raw.socket);
  const statementMax = role === "owner" ? limits.statement : Math.min(limits.statement, READER_STATEMENT_MAX);
  if (role === "reader" && head.query.length > statementMax) throw tooLong(statementMax);
  const received = await readStatement(
    head.query,
    body && unpacked(body, head, role),
    head.compression,
    statementMax,
  );
  if (head.answer.inBlocks) await requireBlocks();
  authorize(received.statement, role, http.method, engine.secretFile);
  requireParameters(received, head);
  const request = new ActiveRequest({
    queryId,
    user: head.credentials.user,
    role,
    database: head.database ?? "default",
    text: received.statement.text,
    settings: withLogComment(head),
    tellsProgress: isTrue(head.settings.get("send_progress_in_http_headers")),
  });
  const session = admit(engine, head, request);
  reply.header(
    "x-clickhouse-timezone",
    headerText(head.settings.get("session_timezone") || session?.held.timeZone || engine.timeZone),
  );
  // Whoever closes the connection no longer wants the statement.
  const onClose = (): void => {
    if (!reply.raw.writableFinished) request.cancel("the client has gone");
  };
  if (reply.raw.destroyed) onClose();
  else reply.raw.once("close", onClose);
  const setup: Setup = {
    database: head.database,
    settings: request.identity.settings,
    params: head.params,
    readonly: role === "reader" || http.method !== "POST",
    held: session?.held,
    leaves: leftBy(received.statement),
  };
  return answer(engine, head, received, request, setup, reply);
}

/** The head of a request, of which a form in the body is a part, and the body unless it was that form. */
async function receive(
  http: FastifyRequest,
): Promise<{ readonly head: RequestHead; readonly body: Readable | undefined }> {
  const body = http.body as Readable | undefined;
  const [url, type] = [http.raw.url ?? "/", http.headers["content-type"]];
  if (body === undefined || type === undefined || !isForm(type))
    return { head: readHead(url, http.headers), body };
  return { head: readHead(url, http.headers, await readForm(body, type)), body: undefined };
}

/** What is left of a body when the answer is out is read and dropped, so that the connection serves the next request. */
function drainAfter(http: FastifyRequest, reply: FastifyReply): void {
  reply.raw.once("finish", () => {
    http.raw.unpipe();
    http.raw.resume();
  });
}

/** Takes a request in, and the session it names for as long as it lasts. */
function admit(engine: Interface, head: RequestHead, request: ActiveRequest): Acquired | undefined {
  if (head.session === undefined) {
    engine.registry.add(request);
    return undefined;
  }
  const session = engine.sessions.acquire(request.identity.role, head.session);
  void request.ended.then(session.release);
  try {
    engine.registry.add(request);
  } catch (error) {
    request.end();
    throw error;
  }
  return session;
}

function leftBy(statement: Statement): Leaves {
  if (statement.kind === "session") return "settings";
  return statement.kind === "write" && statement.isSessionBound ? "table" : "nothing";
}

/** A body without ClickHouse's compressed blocks around it. Who may not write has only a statement to send. */
function unpacked(body: Readable, head: RequestHead, role: Role): Readable {
  if (!head.hasBlocks) return body;
  if (head.compression !== "none") {
    throw refusal(48, "NOT_IMPLEMENTED", "decompress=1 and Content-Encoding are not supported together.");
  }
  return Readable.from(decompressedBlocks(body, role === "owner" ? BLOCK_MAX : MIB), { objectMode: false });
}

/** A parameter that the request does not give must not be taken from anywhere else. */
function requireParameters(received: Received, head: RequestHead): void {
  refuseForbiddenIdentifiers(received.statement, head.params);
  for (const { name } of received.statement.parameters) {
    if (!head.params.has(name))
      throw refusal(456, "UNKNOWN_QUERY_PARAMETER", `Substitution \`${name}\` is not set.`);
  }
}

/** The engine makes query ids of its own; the given one is found in `system.processes` as the log comment. */
function withLogComment(head: RequestHead): ReadonlyMap<string, string> {
  if (head.queryId === undefined || head.settings.has("log_comment")) return head.settings;
  return new Map(head.settings).set("log_comment", head.queryId);
}

async function answer(
  engine: Interface,
  head: RequestHead,
  received: Received,
  request: ActiveRequest,
  setup: Setup,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { executor } = engine;
  const { statement } = received;
  if (statement.kind === "insert") {
    const counts = await executor.insert(request, statement, setup, received);
    return withFigures(reply, request, counts, statement.isPlain).send("");
  }
  const format = { name: statement.format ?? head.defaultFormat, revision: head.answer.revision };
  reply.headers({ "content-type": contentTypeOf(format.name), "x-clickhouse-format": format.name });
  if (statement.kind === "select" && !head.waitForEnd) {
    return stream(engine, head.answer, request, statement, setup, format, reply);
  }
  const result = await run(executor, request, statement, setup, format);
  return sendWhole(withFigures(reply, request, result.counts), result, head.answer);
}

/** @param isWritten the counts are of rows that were stored as they came */
function withFigures(
  reply: FastifyReply,
  { progress }: ActiveRequest,
  counts: Counts | undefined,
  isWritten = false,
): FastifyReply {
  if (progress !== undefined) reply.header("x-clickhouse-progress", progressText(progress));
  return reply.header("x-clickhouse-summary", summaryOf({ counts, isWritten, progress }));
}

function run(
  executor: Executor,
  request: ActiveRequest,
  statement: Exclude<Statement, InsertStatement>,
  setup: Setup,
  format: ResultFormat,
): Promise<WholeResult<Counts>> {
  if (statement.kind === "select") return executor.whole(request, statement, setup, format);
  if (statement.kind === "kill") return executor.kill(request, statement, setup, format);
  return executor.plain(request, statement, setup, format);
}

async function stream(
  engine: Interface,
  form: AnswerForm,
  request: ActiveRequest,
  statement: SelectStatement,
  setup: Setup,
  format: ResultFormat,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const chunks = engine.executor.stream(request, statement, setup, format);
  const first = await chunks.next();
  if (first.done !== true && first.value.length < HELD_BACK) {
    // It would have been held back further, so this is the whole result.
    const end = await chunks.next();
    assert(end.done === true);
    return sendWhole(
      withFigures(reply, request, end.value),
      { body: first.value, bytes: first.value.length },
      form,
    );
  }
  const tag = exceptionTag();
  const body = async function* (): AsyncGenerator<Buffer> {
    try {
      if (first.done !== true) yield first.value;
      yield* chunks;
    } catch (error) {
      yield exceptionTrailer(error, tag, engine.version);
    }
  };
  const { headers, body: readable } = await packAnswer(body(), form);
  // A client that has gone by now never starts the generator above, so it would not end the one below.
  readable.once("close", () => void chunks.return(NOTHING));
  return withFigures(reply, request, undefined)
    .headers({ ...headers, "x-clickhouse-exception-tag": tag })
    .send(readable);
}
