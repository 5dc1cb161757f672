import type { FastifyReply, FastifyRequest } from "fastify";
import { sameSecret } from "../base/secret.js";
import type { FailedTokens } from "./failed-tokens.js";
import { failure } from "./failures.js";
import { wantsPage } from "./page-route.js";

const LOOPBACK_NAMES: ReadonlySet<string> = new Set(["127.0.0.1", "localhost", "[::1]"]);

declare module "fastify" {
  interface FastifyContextConfig {
    /** Whether the token is needed where it may be read without. Default: for all but GET and HEAD. */
    readonly needsToken?: boolean;
    /** Whether it is written down who asked. Default: for what is neither GET nor HEAD. */
    readonly isAudited?: boolean;
  }
}

/** Answers a request that is not allowed; undefined for one that is. */
export type Guard = (request: FastifyRequest, reply: FastifyReply) => FastifyReply | undefined;

export interface GuardOptions {
  readonly host: string;
  readonly token: string;
  readonly failed: FailedTokens;
  /** Its user has shown the token. */
  readonly onToken: (request: FastifyRequest) => void;
}

/**
 * Who may do what. Any web page can make a browser talk to 127.0.0.1, so a foreign `Host` (a rebound name) or `Origin` (a
 * cross-site request) is refused. What changes anything needs the token; so does reading when not on loopback,
 * but for the empty page that then asks for the token.
 */
export function guard({ host: listenHost, token, failed, onToken }: GuardOptions): Guard {
  const onLoopback = LOOPBACK_NAMES.has(listenHost) || listenHost === "::1";
  return (request, reply) => {
    const host = request.headers.host ?? "";
    if (onLoopback && !LOOPBACK_NAMES.has(withoutPort(host))) {
      return refuse(reply, 403, `Host ${JSON.stringify(host)} is not this machine's loopback`);
    }
    const { origin } = request.headers;
    if (origin !== undefined && origin !== `http://${host}`) {
      return refuse(reply, 403, `requests from ${JSON.stringify(origin)} are not taken`);
    }
    if (isCrossSite(request)) return refuse(reply, 403, "requests from web pages are not taken");
    const given = tokenIn(request);
    if (given !== undefined && sameSecret(given, token)) {
      onToken(request);
      return undefined;
    }
    const needsToken = request.routeOptions.config?.needsToken ?? !reads(request);
    if ((onLoopback && !needsToken) || wantsPage(request)) return undefined;
    const waitSeconds = given === undefined ? 0 : failed.add(request.ip);
    if (waitSeconds > 0) {
      void reply.header("Retry-After", waitSeconds);
      return refuse(reply, 429, "too many wrong tokens came from there");
    }
    void reply.header("WWW-Authenticate", "Bearer");
    return refuse(
      reply,
      401,
      "this needs the header 'Authorization: Bearer TOKEN' with the token of the token file",
    );
  };
}

/** Whether the method alone says that nothing is changed. */
export function reads({ method }: FastifyRequest): boolean {
  return method === "GET" || method === "HEAD";
}

/** Browsers say where a request comes from also where they send no `Origin`. A link to the page itself may be followed. */
function isCrossSite(request: FastifyRequest): boolean {
  const site = request.headers["sec-fetch-site"];
  if (site === undefined || site === "same-origin" || site === "none") return false;
  const isLink =
    request.headers["sec-fetch-mode"] === "navigate" && request.headers["sec-fetch-dest"] === "document";
  return !(isLink && wantsPage(request));
}

function withoutPort(host: string): string {
  return host.replace(/:\d+$/, "").toLowerCase();
}

function tokenIn(request: FastifyRequest): string | undefined {
  return /^Bearer (.+)$/i.exec(request.headers.authorization ?? "")?.[1];
}

function refuse(reply: FastifyReply, status: number, message: string): FastifyReply {
  // A body that nobody asked for is not read.
  if (!reads(reply.request)) void reply.header("Connection", "close");
  return reply.code(status).send(failure(message));
}
