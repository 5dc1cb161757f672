import type { FastifyReply, FastifyRequest } from "fastify";
import { sameSecret } from "../base/secret.js";
import { wantsPage } from "./page-route.js";

const LOOPBACK_NAMES: ReadonlySet<string> = new Set(["127.0.0.1", "localhost", "[::1]"]);

/** Answers a request that is not allowed; undefined for one that is. */
export type Guard = (request: FastifyRequest, reply: FastifyReply) => FastifyReply | undefined;

/**
 * Who may do what. Any web page can make a browser talk to 127.0.0.1, so a foreign `Host` (a rebound name) or `Origin` (a
 * cross-site request) is refused. What changes anything needs the token; so does reading when not on loopback,
 * but for the empty page that then asks for the token.
 */
export function guard(options: { readonly host: string; readonly token: string }): Guard {
  const onLoopback = LOOPBACK_NAMES.has(options.host) || options.host === "::1";
  return (request, reply) => {
    const host = request.headers.host ?? "";
    if (onLoopback && !LOOPBACK_NAMES.has(withoutPort(host))) {
      return refuse(reply, 403, `Host ${JSON.stringify(host)} is not this machine's loopback`);
    }
    const { origin } = request.headers;
    if (origin !== undefined && origin !== `http://${host}`) {
      return refuse(reply, 403, `requests from ${JSON.stringify(origin)} are not taken`);
    }
    const reads = request.method === "GET" || request.method === "HEAD";
    const isOpen = (reads && onLoopback) || wantsPage(request);
    if (!isOpen && !hasToken(request, options.token)) {
      return refuse(
        reply,
        401,
        "this needs the header 'Authorization: Bearer TOKEN' with the token of the token file",
      );
    }
    return undefined;
  };
}

function withoutPort(host: string): string {
  return host.replace(/:\d+$/, "").toLowerCase();
}

function hasToken(request: FastifyRequest, token: string): boolean {
  const given = /^Bearer (.+)$/i.exec(request.headers.authorization ?? "")?.[1];
  return given !== undefined && sameSecret(given, token);
}

function refuse(reply: FastifyReply, status: number, message: string): FastifyReply {
  if (status === 401) void reply.header("WWW-Authenticate", "Bearer");
  return reply.code(status).send({ error: { message } });
}
