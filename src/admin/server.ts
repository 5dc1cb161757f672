import type { AddressInfo } from "node:net";
import { type FastifyInstance, type FastifyReply, fastify } from "fastify";
import type { Logger } from "pino";
import { ColdpathError, messageOf } from "../base/errors.js";
import { readOrCreateSecret } from "../base/secret.js";
import { MINUTE_MS, SECOND_MS } from "../base/units.js";
import { BodyMemory } from "../intake/body-memory.js";
import type { Normaliser } from "../intake/normalise/normaliser.js";
import type { Live } from "../live/live.js";
import type { RecentEvents } from "../live/recent-events.js";
import type { Recorder } from "../recorder.js";
import { flushRoute } from "./flush-route.js";
import { guard } from "./guard.js";
import { ingestRoute } from "./ingest-route.js";
import { liveRoutes } from "./live-routes.js";
import { pageRoute } from "./page-route.js";
import { type ReloadableConfig, reloadRoute } from "./reload-route.js";
import { replayRoute } from "./replay-route.js";
import { statusReports } from "./status-report.js";

export interface AdminOptions {
  readonly listen: { readonly host: string; readonly port: number };
  /** File of the token that writes need; made if absent. */
  readonly tokenFile: string;
  readonly recorder: Pick<Recorder, "stats" | "table" | "keys" | "flush" | "replay" | "leaveOut">;
  /** What is known of the last hour of that recorder. */
  readonly live: Pick<Live, "report" | "history" | "watch">;
  readonly events: RecentEvents;
  /** Without it there is no configuration to be asked for or reloaded. */
  readonly config?: ReloadableConfig;
  readonly normaliser: Normaliser;
  /** Bytes of the largest request body, decompressed. */
  readonly maxBody: number;
  /** Bytes of the bodies of all requests together, decompressed. */
  readonly bodyMemory: number;
  /** Bytes of the longest line. */
  readonly maxLine: number;
  /** Told of what is answered with "internal error". */
  readonly log: Pick<Logger, "error">;
}

export interface AdminServer {
  readonly url: string;
  /** Takes no more requests; those being answered have until the deadline, and 5 s at most, before they are cut off. */
  close(deadlineMs: number): Promise<void>;
}

/** A client that sends its headers or body slower than this is cut off. */
const REQUEST_TIMEOUT_MS: number = 2 * MINUTE_MS;
const HEADERS_TIMEOUT_MS: number = 10 * SECOND_MS;
/** At shutdown requests must leave time for storing what they brought. */
const DRAIN_MAX_MS: number = 5 * SECOND_MS;

/**
 * The HTTP intake and what operators ask of a running recorder. `docs/reference/http.md` lists it.
 * @throws ColdpathError ADDRESS_IN_USE
 */
export async function startAdmin(options: AdminOptions): Promise<AdminServer> {
  const { listen, recorder, normaliser, live, events } = options;
  const refusal = guard({ host: listen.host, token: readOrCreateSecret(options.tokenFile) });
  const app = fastify({
    requestTimeout: REQUEST_TIMEOUT_MS,
    http: { headersTimeout: HEADERS_TIMEOUT_MS },
    // An address that cannot be decoded reaches no hook.
    frameworkErrors: (error, request, reply: FastifyReply) => {
      if (refusal(request, reply) === undefined) void reply.code(400).send(failure(error.message));
    },
  });
  app.addHook("onRequest", async (request, reply) => refusal(request, reply));
  // Bodies are streams; the intake bounds them itself.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", (_request, _payload, done) => done(null));
  app.setErrorHandler((error, { method, url }, reply) => {
    const status = (error as { statusCode?: number }).statusCode ?? statusOf(error);
    if (status >= 500) options.log.error({ event: "request_failed", method, url, err: error });
    void reply.code(status).send(failure(status >= 500 ? "internal error" : messageOf(error)));
  });
  app.setNotFoundHandler(({ method, url }, reply) =>
    reply.code(404).send(failure(`there is no ${method} ${url}`)),
  );
  pageRoute(app, recorder);
  statusRoutes(app, recorder);
  // Known before anybody can ask.
  let url = "";
  const report = statusReports({ live, normaliser, adminUrl: () => url });
  liveRoutes(app, { live, events, report });
  flushRoute(app, recorder);
  replayRoute(app, recorder);
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

function statusRoutes(app: FastifyInstance, recorder: AdminOptions["recorder"]): void {
  app.get("/healthz", (_request, reply) => reply.type("text/plain").send("ok\n"));
  app.get("/readyz", (_request, reply) => {
    const full = Object.entries(recorder.stats().tables).filter(([name]) => recorder.table(name).full);
    if (full.length === 0) return reply.type("text/plain").send("ok\n");
    return reply
      .code(503)
      .type("text/plain")
      .send(`at their limit: ${full.map(([name]) => name).join(", ")}\n`);
  });
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

function failure(message: string): { error: { message: string } } {
  return { error: { message } };
}

function statusOf(error: unknown): number {
  if (!(error instanceof ColdpathError)) return 500;
  if (error.code === "USAGE") return 400;
  return error.code === "TABLE_UNKNOWN" ? 404 : 500;
}
