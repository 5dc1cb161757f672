import type { AddressInfo } from "node:net";
import { fastify } from "fastify";
import { ColdpathError } from "../base/errors.js";
import { readOrCreateSecret } from "../base/secret.js";
import { MINUTE_MS, SECOND_MS } from "../base/units.js";
import type { Recorder } from "../recorder.js";
import { guard } from "./guard.js";
import { ingestRoute } from "./ingest-route.js";
import { statusText } from "./status-text.js";

export interface AdminOptions {
  readonly listen: { readonly host: string; readonly port: number };
  /** File of the token that writes need; made if absent. */
  readonly tokenFile: string;
  readonly recorder: Recorder;
  /** Bytes of the largest request body, decompressed. */
  readonly maxBody: number;
  /** Bytes of the longest line. */
  readonly maxLine: number;
}

export interface AdminServer {
  readonly url: string;
  /** Takes no more requests; those being answered are answered. */
  close(): Promise<void>;
}

/** A client that sends its headers or body slower than this is cut off. */
const REQUEST_TIMEOUT_MS: number = 2 * MINUTE_MS;
const HEADERS_TIMEOUT_MS: number = 10 * SECOND_MS;

/** The HTTP intake and what operators ask of a running recorder. `docs/reference/http.md` lists it. */
export async function startAdmin(options: AdminOptions): Promise<AdminServer> {
  const { listen, recorder } = options;
  const app = fastify({
    requestTimeout: REQUEST_TIMEOUT_MS,
    http: { headersTimeout: HEADERS_TIMEOUT_MS },
    forceCloseConnections: "idle",
  });
  guard(app, { host: listen.host, token: readOrCreateSecret(options.tokenFile) });
  // Bodies are streams; the intake bounds them itself.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", (_request, _payload, done) => done(null));
  app.setErrorHandler((error, _request, reply) => {
    const status = (error as { statusCode?: number }).statusCode ?? statusOf(error);
    void reply
      .code(status)
      .send({ error: { message: status === 500 ? "internal error" : (error as Error).message } });
  });
  app.get("/", (_request, reply) =>
    reply.type("text/plain; charset=utf-8").send(statusText(recorder.stats())),
  );
  app.get("/healthz", (_request, reply) => reply.type("text/plain").send("ok\n"));
  app.get("/readyz", (_request, reply) => {
    const full = Object.entries(recorder.stats().tables).filter(([name]) => recorder.table(name).full);
    if (full.length === 0) return reply.type("text/plain").send("ok\n");
    return reply
      .code(503)
      .type("text/plain")
      .send(`at their limit: ${full.map(([name]) => name).join(", ")}\n`);
  });
  app.get("/api/status", () => recorder.stats());
  ingestRoute(app, options);
  await app.listen({ host: listen.host, port: listen.port });
  const { family, address, port } = app.server.address() as AddressInfo;
  const url = `http://${family === "IPv6" ? `[${address}]` : address}:${port}`;
  return { url, close: () => app.close() };
}

function statusOf(error: unknown): number {
  return error instanceof ColdpathError && error.code === "TABLE_UNKNOWN" ? 404 : 500;
}
