import { once } from "node:events";
import {
  type ClientRequest,
  createServer,
  type IncomingMessage,
  request,
  type Server,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";

/** A request as it reached the proxy. */
export interface Seen {
  /** The statement, from the URL or the body. */
  readonly sql: string;
  readonly isInsert: boolean;
  /** Settings and `param_…`, as the URL has them. */
  readonly settings: ReadonlyMap<string, string>;
  readonly body: Buffer;
  /** Name of the fault that befell it, or undefined if it went through unharmed. */
  fault: string | undefined;
  /** Status of the answer that ClickHouse gave, as far as it was asked. */
  status: number | undefined;
}

/** An HTTP answer. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** One request under way: what a {@link Fault} can do with it. */
export interface Exchange {
  readonly seen: Seen;
  /** Resolves when the client has gone or got its answer. */
  readonly over: Promise<void>;
  /** Sends the request on to ClickHouse, with another body if one is given, and reads its answer. Goes on if the client goes. */
  forward(body?: Buffer): Promise<Answer>;
  /** Breaks off what {@link forward} began, as a client's end of connection would. */
  drop(): void;
  /** Answers the client. */
  reply(answer: Answer): Promise<void>;
  /** Resets the client's connection. */
  reset(): void;
  /** Sends the head of an answer with `announced` bytes of body, then only these bytes, then resets. */
  cut(answer: Answer, announced: number): Promise<void>;
}

/** What happens to a request in place of being passed on; see `fault-proxy-faults.ts` for those there are. */
export interface Fault {
  readonly name: string;
  befall(exchange: Exchange): Promise<void>;
}

/** Which requests a fault befalls. */
export interface Match {
  /** `insert` (the default), every other request, or any. */
  readonly kind?: "insert" | "other" | "any";
  readonly where?: (seen: Seen) => boolean;
  /** So many matching requests pass first. Default 0. */
  readonly skip?: number;
  /** So many are hit after that. Default 1. */
  readonly times?: number;
}

interface Rule {
  readonly match: Match;
  readonly fault: Fault;
  passed: number;
  hit: number;
}

/**
 * An HTTP proxy before a real ClickHouse that fails as told:
 *
 * ```ts
 * const proxy = await FaultProxy.start(t, engine.url);
 * const clickhouse = new ClickHouse({ url: proxy.url, … });
 * proxy.on({ skip: 2 }, resetAfterStore);            // the third INSERT is stored, and its answer never arrives
 * proxy.on({ kind: "any", times: 3 }, hang());       // the next three requests of any kind get no answer
 * await proxy.refuse();                              // connections are refused until accept()
 * ```
 *
 * Rules are tried in the order in which they were made; the first that matches and is not used up decides.
 */
export class FaultProxy {
  /** What arrived, in order. */
  readonly requests: Seen[] = [];
  /** Changes the settings of what is passed on, as a server's profile or a wrong client would. */
  rewrite: ((settings: URLSearchParams, seen: Seen) => void) | undefined;
  /** Changes what ClickHouse answered, for a proxy that plays another server. */
  retell: ((answer: Answer, seen: Seen) => Answer) | undefined;
  readonly #target: URL;
  readonly #server: Server;
  readonly #port: number;
  #rules: Rule[] = [];
  #waiting: { condition: () => boolean; resolve: () => void }[] = [];

  private constructor(target: string, server: Server) {
    this.#target = new URL(target);
    this.#server = server;
    this.#port = (server.address() as AddressInfo).port;
  }

  static async start(t: { after(fn: () => Promise<void>): void }, target: string): Promise<FaultProxy> {
    const server = createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const proxy = new FaultProxy(target, server);
    server.on("request", (incoming, outgoing) => void proxy.#serve(incoming, outgoing));
    t.after(() => proxy.refuse());
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** The INSERTs among {@link requests}. */
  get inserts(): Seen[] {
    return this.requests.filter((seen) => seen.isInsert);
  }

  /** From now on the fault befalls matching requests. */
  on(match: Match, fault: Fault): void {
    this.#rules.push({ match, fault, passed: 0, hit: 0 });
  }

  /** Takes all faults back, except from those that are under way. */
  clear(): void {
    this.#rules = [];
  }

  /** Closes the port and resets what is connected. */
  async refuse(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, "close");
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  /** Opens the port again. */
  async accept(): Promise<void> {
    if (this.#server.listening) return;
    this.#server.listen(this.#port, "127.0.0.1");
    await once(this.#server, "listening");
  }

  /** Resolves once the condition holds; it is looked at whenever a request arrives or ends. */
  async until(condition: () => boolean): Promise<void> {
    if (condition()) return;
    await new Promise<void>((resolve) => {
      this.#waiting.push({ condition, resolve });
    });
  }

  async #serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    // A client that goes away is part of the game.
    outgoing.on("error", () => {});
    const body = await buffer(incoming).catch(() => undefined);
    if (body === undefined) return;
    const seen = seenOf(incoming, body);
    this.requests.push(seen);
    const retell = this.retell ?? ((answer) => answer);
    const exchange = new LiveExchange(seen, this.#targetOf(seen, incoming.url!), incoming, outgoing, retell);
    const fault = this.#faultFor(seen) ?? PASS;
    if (fault !== PASS) seen.fault = fault.name;
    this.#look();
    try {
      await fault.befall(exchange);
    } catch {
      // ClickHouse itself is away: the client sees what it would see without us.
      exchange.reset();
    }
    this.#look();
  }

  #targetOf(seen: Seen, path: string): URL {
    const url = new URL(path, this.#target);
    this.rewrite?.(url.searchParams, seen);
    return url;
  }

  #faultFor(seen: Seen): Fault | undefined {
    for (const rule of this.#rules) {
      const { kind = "insert", where, skip = 0, times = 1 } = rule.match;
      if (kind !== "any" && (kind === "insert") !== seen.isInsert) continue;
      if (rule.hit >= times || (where !== undefined && !where(seen))) continue;
      rule.passed += 1;
      if (rule.passed <= skip) continue;
      rule.hit += 1;
      return rule.fault;
    }
    return undefined;
  }

  #look(): void {
    for (const waiting of this.#waiting.splice(0))
      if (waiting.condition()) waiting.resolve();
      else this.#waiting.push(waiting);
  }
}

/** No fault: as if there were no proxy, so that a client that gives up takes its request with it. */
const PASS: Fault = {
  name: "pass",
  async befall(exchange) {
    const answer = await Promise.race([exchange.forward(), exchange.over]);
    if (answer === undefined) exchange.drop();
    else await exchange.reply(answer);
  },
};

function seenOf(incoming: IncomingMessage, body: Buffer): Seen {
  const settings = new Map(new URL(incoming.url!, "http://proxy").searchParams);
  const sql = settings.get("query") ?? body.toString();
  return { sql, isInsert: /^\s*INSERT\b/i.test(sql), settings, body, fault: undefined, status: undefined };
}

class LiveExchange implements Exchange {
  readonly seen: Seen;
  readonly over: Promise<void>;
  readonly #target: URL;
  readonly #incoming: IncomingMessage;
  readonly #outgoing: ServerResponse;
  readonly #retell: (answer: Answer, seen: Seen) => Answer;
  #upstream: ClientRequest | undefined;

  constructor(
    seen: Seen,
    target: URL,
    incoming: IncomingMessage,
    outgoing: ServerResponse,
    retell: (answer: Answer, seen: Seen) => Answer,
  ) {
    this.#retell = retell;
    this.seen = seen;
    this.#target = target;
    this.#incoming = incoming;
    this.#outgoing = outgoing;
    this.over = new Promise((resolve) => outgoing.once("close", resolve));
  }

  async forward(body: Buffer = this.seen.body): Promise<Answer> {
    const { connection: _, "transfer-encoding": __, ...headers } = this.#incoming.headers;
    const upstream = request({
      hostname: this.#target.hostname,
      port: this.#target.port,
      method: this.#incoming.method,
      path: `${this.#target.pathname}${this.#target.search}`,
      headers: { ...headers, host: this.#target.host, "content-length": body.length },
      agent: false,
    });
    this.#upstream = upstream;
    upstream.end(body);
    const [answer] = (await once(upstream, "response")) as [IncomingMessage];
    const status = answer.statusCode!;
    this.seen.status = status;
    const { connection: ___, "transfer-encoding": ____, ...answerHeaders } = answer.headers;
    const text = await buffer(answer);
    return this.#retell({ status, headers: answerHeaders as Record<string, string>, body: text }, this.seen);
  }

  drop(): void {
    this.#upstream?.destroy();
  }

  async reply({ status, headers, body }: Answer): Promise<void> {
    this.#outgoing.writeHead(status, { ...headers, "content-length": body.length });
    this.#outgoing.end(body);
    await this.over;
  }

  reset(): void {
    this.#incoming.socket.resetAndDestroy();
  }

  async cut({ status, headers, body }: Answer, announced: number): Promise<void> {
    this.#outgoing.writeHead(status, { ...headers, "content-length": announced });
    await new Promise<void>((resolve) => this.#outgoing.write(body, () => resolve()));
    this.reset();
  }
}
