import assert from "node:assert";
import { setImmediate as nextTurn } from "node:timers/promises";
import { Pool } from "undici";
import { connectorFor, type TlsFiles } from "./connector.js";

export interface EndpointOptions {
  readonly tls?: TlsFiles;
  /** Sockets kept to each endpoint. */
  readonly connections: number;
}

/** ClickHouse closes idle connections after 10 s by default, proxies sooner; a socket is not reused after this. */
const KEEP_ALIVE_MS = 2_000;
/** A server that announces its own time (`Keep-Alive: timeout=5`) is left so much earlier: it may close while we send. */
const KEEP_ALIVE_MARGIN_MS = 1_000;

/** After so long without an answer a connection may have ended. */
const QUIET_MS = 100;

/** One address of a ClickHouse, and the connections to it. */
export class Endpoint {
  /** As configured: without credentials. */
  readonly url: string;
  readonly path: string;
  readonly #options: EndpointOptions;
  #pool: Pool;
  #answeredAt = 0;

  constructor(url: string, options: EndpointOptions) {
    this.url = url;
    this.path = new URL(url).pathname;
    this.#options = options;
    this.#pool = this.#connect();
  }

  get pool(): Pool {
    return this.#pool;
  }

  /** A connection was good a moment ago. */
  answered(): void {
    this.#answeredAt = performance.now();
  }

  /**
   * To be awaited before a request. A process that stood still has not seen which connections the server closed meanwhile; the pool looks
   * for that once more, but too early if it is asked in the turn in which the process stood still.
   */
  async ready(): Promise<void> {
    if (performance.now() - this.#answeredAt > QUIET_MS) await nextTurn();
  }

  /** Breaks the connections, so that what is under way fails; the next request makes new ones. */
  async cut(): Promise<void> {
    const old = this.#pool;
    this.#pool = this.#connect();
    await old.destroy(new Error("cut off: another endpoint is used now"));
  }

  /** Breaks the connections for good. */
  async close(): Promise<void> {
    await this.#pool.destroy();
  }

  #connect(): Pool {
    return new Pool(new URL(this.url).origin, {
      connections: this.#options.connections,
      pipelining: 1,
      keepAliveTimeout: KEEP_ALIVE_MS,
      keepAliveMaxTimeout: KEEP_ALIVE_MS,
      keepAliveTimeoutThreshold: KEEP_ALIVE_MARGIN_MS,
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: connectorFor(this.#options.tls ?? {}),
    });
  }
}

/** The addresses of one replica set, the preferred one first, and which of them is in use. */
export class Endpoints {
  readonly all: readonly Endpoint[];
  #current: Endpoint;

  constructor(urls: readonly string[], options: EndpointOptions) {
    this.all = urls.map((url) => new Endpoint(url, options));
    assert(this.all.length > 0, "ClickHouse has an address");
    this.#current = this.all[0]!;
  }

  get current(): Endpoint {
    return this.#current;
  }

  /** The endpoint of that address. */
  at(url: string): Endpoint {
    const found = this.all.find((endpoint) => endpoint.url === url);
    assert(found !== undefined, `${url} is one of the endpoints`);
    return found;
  }

  /** From now on requests go to `endpoint`; those under way elsewhere are cut off, their outcome unknown. */
  use(endpoint: Endpoint): void {
    const before = this.#current;
    if (before === endpoint) return;
    this.#current = endpoint;
    // Its requests learn of it by failing.
    void before.cut();
  }

  async close(): Promise<void> {
    await Promise.all(this.all.map((endpoint) => endpoint.close()));
  }
}
