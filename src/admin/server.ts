import type { AddressInfo } from "node:net";
import { type FastifyInstance, type FastifyReply, fastify } from "fastify";
import type { Logger } from "pino";
import { systemClock } from "../base/clock.js";
import { ColdpathError } from "../base/errors.js";
import { Guests } from "../base/guests.js";
import { readOrCreateSecret } from "../base/secret.js";
import { MINUTE_MS, SECOND_MS } from "../base/units.js";
import { BodyMemory } from "../intake/body-memory.js";
import type { Normaliser } from "../intake/normalise/normaliser.js";
import type { Live } from "../live/live.js";
import type { RecentEvents } from "../live/recent-events.js";
import type { Recorder } from "../recorder.js";
import { audit } from "./audit.js";
import { type DeadLetterOffice, deadLetterRoutes } from "./dead-letter-routes.js";
import { FailedTokens } from "./failed-tokens.js";
import { answerFailures, failure } from "./failures.js";
import { flushRoute } from "./flush-route.js";
import { guard } from "./guard.js";
import { healthRoutes } from "./health-routes.js";
import { ingestRoute } from "./ingest-route.js";
import { liveRoutes } from "./live-routes.js";
import { metricsRoute, type Scraped } from "./metrics-route.js";
import { openapiRoute } from "./openapi-route.js";
import { pageRoute } from "./page-route.js";
import { queryRoute } from "./query-route.js";
import type { Reader } from "./question.js";
import { refuseBytes } from "./refuse-bytes.js";
import { type ReloadableConfig, reloadRoute } from "./reload-route.js";
import { replayRoute } from "./replay-route.js";
import { SAFE_HEADERS } from "./safe-headers.js";
import { statusReports } from "./status-report.js";
import { walRoutes } from "./wal-routes.js";

export interface AdminOptions {
  readonly listen: { readonly host: string; readonly port: number };
  /** File of the token that writes need; made if absent. */
  readonly tokenFile: string;
  readonly recorder: Pick<
    Recorder,
    "stats" | "table" | "keys" | "note" | "flush" | "replay" | "leaveOut" | "log"
  >;
  /** What is known of the last hour of that recorder. */
  readonly live: Pick<Live, "report" | "history" | "watch" | "notLanding">;
  readonly events: RecentEvents;
  readonly metrics: Scraped;
  /** Without it there is no configuration to be asked for or reloaded. */
  readonly config?: ReloadableConfig;
  readonly normaliser: Normaliser;
  /** Bytes of the largest request body, decompressed. */
  readonly maxBody: number;
  /** Bytes of the bodies of all requests together, decompressed. */
  readonly bodyMemory: number;
  /** Bytes of the longest line. */
  readonly maxLine: number;
  readonly deadLetters: DeadLetterOffice;
  /** Answers questions in SQL. */
  readonly reader: Reader;
  /** Told of what is answered with "internal error", of who changes something and of wrong tokens. */
  readonly log: Pick<Logger, "info" | "warn" | "error">;
}

export interface AdminServer {
  readonly url: string;
  /** Takes no more requests; those being answered have until the deadline, and 5 s at most, before they are cut off. */
  close(deadlineMs: number): Promise<void>;
}

/** A client that sends its headers or body slower than this is cut off. */
const REQUEST_TIMEOUT_MS: number = 2 * MINUTE_MS;
const HEADERS_TIMEOUT_MS: number = 10 * SECOND_MS;
const TIMEOUT_LOOK_MS: number = 2 * SECOND_MS;
/** Connections over which nobody has shown the token: all readers of the stream, and some more. */
const GUESTS_MAX = 1280;
/** At shutdown requests must leave time for storing what they brought. */
const DRAIN_MAX_MS: number = 5 * SECOND_MS;

/**
 * The HTTP intake and what operators ask of a running recorder. `docs/reference/http.md` lists it.
 * @throws ColdpathError ADDRESS_IN_USE
 */
export async function startAdmin(options: AdminOptions): Promise<AdminServer> {
  const { listen, recorder, normaliser, live, events, log } = options;
  const refusal = guard({
    host: listen.host,
    token: readOrCreateSecret(options.tokenFile),
    failed: new FailedTokens(systemClock, (peer) => log.warn({ event: "token_refused", peer })),
    onToken: ({ raw }) => guests.letIn(raw.socket),
  });
  const app = fastify({
    requestTimeout: REQUEST_TIMEOUT_MS,
    http: { headersTimeout: HEADERS_TIMEOUT_MS, connectionsCheckingInterval: TIMEOUT_LOOK_MS },
    clientErrorHandler: refuseBytes,
    // An address that cannot be decoded reaches no hook.
    frameworkErrors: (error, request, reply: FastifyReply) => {
      void reply.headers(SAFE_HEADERS);
      if (refusal(request, reply) === undefined) void reply.code(400).send(failure(error.message));
    },
  });
  const guests = new Guests(app.server, GUESTS_MAX);
  app.addHook("onRequest", async (request, reply) => refusal(request, reply.headers(SAFE_HEADERS)));
  audit(app, { recorder, events, log });
  // Bodies are streams; the intake bounds them itself.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", (_request, _payload, done) => done(null));
  answerFailures(app, log);
  pageRoute(app, recorder);
  healthRoutes(app, { recorder, live });
  metricsRoute(app, options.metrics);
  // Known before anybody can ask.
  let url = "";
  const report = statusReports({ live, normaliser, adminUrl: () => url });
  liveRoutes(app, { live, events, report });
  openapiRoute(app);
  flushRoute(app, recorder);
  deadLetterRoutes(app, options.deadLetters);
  queryRoute(app, options.reader);
  replayRoute(app, recorder);
  walRoutes(app, recorder);
  if (options.config !== undefined) reloadRoute(app, options.config);
  const bodies = new BodyMemory(options.bodyMemory);
  ingestRoute(app, { recorder, normaliser, bodies, maxBody: options.maxBody, maxLine: options.maxLine });
  await listenOn(app, listen);
  url = addressOf(app);
  return { url, close: (deadlineMs) => close(app, deadlineMs) };
}

function addressOf(app: FastifyInstance): string {
  const { family, address, port } = app.server.address() as AddressInfo;
  return `http://${family === "IPv6" ? `[${address}]` : address}:${port}`;
}

async function listenOn(app: FastifyInstance, { host, port }: AdminOptions["listen"]): Promise<void> {
  try {
    // For "localhost" there would be a second server, on ::1, whose connections could not be cut off.
    await app.listen({ host: host === "localhost" ? "127.0.0.1" : host, port });
  } catch (error) {
    await app.close();
    if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
    const hint = "end the process that holds it, or take a free port with --set admin.listen=127.0.0.1:0";
    throw new ColdpathError("ADDRESS_IN_USE", `admin.listen ${host}:${port} is in use: ${hint}`, {
      cause: error,
    });
  }
}

async function close(app: FastifyInstance, deadlineMs: number): Promise<void> {
  const cut = setTimeout(() => app.server.closeAllConnections(), Math.min(deadlineMs, DRAIN_MAX_MS));
  await app.close();
  clearTimeout(cut);
}
