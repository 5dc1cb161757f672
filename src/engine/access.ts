import type { IncomingHttpHeaders } from "node:http";
import { isIP } from "node:net";
import { sameSecret } from "../base/secret.js";
import { refusal } from "./exception.js";
import type { Credentials } from "./request.js";
import type { Statement } from "./statement.js";

/** The one user. */
export const USER = "default";

/** `owner` gave the password and may do all that the engine's grants allow; `reader` may read. */
export type Role = "owner" | "reader";

/**
 * Who asks.
 *
 * @param mayRead whether the caller may read without a password
 * @throws ClickHouseError 516 for a wrong name or password, 194 where reading wants a password too
 */
export function authenticate(given: Credentials, secret: string, mayRead: boolean): Role {
  const denied = (): Error =>
    refusal(
      516,
      "AUTHENTICATION_FAILED",
      `${given.user}: Authentication failed: password is incorrect, or there is no user with such name.`,
    );
  if (given.user !== USER) throw denied();
  if (given.password === "") {
    if (mayRead) return "reader";
    throw refusal(194, "REQUIRED_PASSWORD", `${given.user}: Authentication failed: password is required.`);
  }
  if (!sameSecret(given.password, secret)) throw denied();
  return "owner";
}

/** Words that open a statement which is no read. Whatever else stands there, the engine would not understand. */
const OPENINGS =
  /^(?:ALTER|ATTACH|BACKUP|BEGIN|COMMIT|CREATE|DELETE|DETACH|DROP|EXCHANGE|EXECUTE|GRANT|INSERT|KILL|MOVE|OPTIMIZE|RENAME|REPLACE|RESTORE|REVOKE|ROLLBACK|SET|SYSTEM|TRUNCATE|UNDROP|UPDATE|USE)\b/i;

/**
 * @throws ClickHouseError 164 when a statement that may change something comes by GET or without the password, 62 when
 * it is only misspelt
 */
export function authorize(statement: Statement, role: Role, method: string, secretFile: string): void {
  if (statement.kind === "select" || statement.kind === "read" || statement.kind === "session") return;
  const reason =
    method !== "POST"
      ? "For queries over HTTP, method GET implies readonly. You should use method POST for modifying queries."
      : role === "reader"
        ? `Anything but reading needs the password of user ${USER}; it is in ${secretFile}`
        : undefined;
  if (reason === undefined) return;
  if (!OPENINGS.test(statement.text)) {
    const [word] = statement.text.split(/\s/, 1);
    throw refusal(
      62,
      "SYNTAX_ERROR",
      `Syntax error: failed at position 1 (${word}): no statement begins so.`,
    );
  }
  throw refusal(164, "READONLY", `Cannot execute query in readonly mode. ${reason}.`);
}

/**
 * Why a browser must not be served, or undefined. Any web page can reach a loopback port: a page's own requests name
 * its origin, and a name that somebody pointed at 127.0.0.1 shows in `Host`.
 *
 * @param listenHost the address the engine was told to listen on
 */
export function foreignCaller(headers: IncomingHttpHeaders, listenHost: string): string | undefined {
  const host = headers.host ?? "";
  const name = host
    .replace(/:\d+$/, "")
    .replace(/^\[|\]$/g, "")
    .toLowerCase();
  const isOwn = name === "localhost" || name === listenHost || (isIP(name) !== 0 && isLoopback(name));
  if (!isOwn) return `Host ${host || "(none)"} is not an address of this engine.`;
  const { origin } = headers;
  if (origin !== undefined && origin !== `http://${host}`) return `Requests from ${origin} are not served.`;
  const site = headers["sec-fetch-site"];
  if (site !== undefined && site !== "same-origin" && site !== "none")
    return "Requests from web pages are not served.";
  return undefined;
}

/** Whether an address is of this machine's loopback interface. */
export function isLoopback(address: string): boolean {
  return address === "::1" || address.startsWith("127.") || address.startsWith("::ffff:127.");
}
