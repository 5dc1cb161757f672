import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { request } from "undici";
import type { Random } from "../support/random.js";

/** Whom they are after, until the signal ends it. */
export interface Victim {
  readonly url: string;
  readonly token: string;
  readonly random: Random;
  readonly signal: AbortSignal;
  /** Larger than a body may be. */
  readonly tooLarge: number;
}

/** Statuses by what was tried. */
export type Answers = Record<string, Record<number, number>>;

/** Everything that a request alone can do, again and again; tells how each was answered. */
export async function pester(victim: Victim, answers: Answers): Promise<void> {
  const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
  const ndjson = { ...bearer(victim.token), "content-type": "application/x-ndjson" };
  const json = { "content-type": "application/json" };
  const large = Buffer.alloc(victim.tooLarge, "{}\n");
  const tries: Readonly<Record<string, () => Parameters<typeof request>[1] & { path: string }>> = {
    "wrong token": () => ({ path: "/api/replay", method: "POST", headers: bearer("wrong") }),
    "no token": () => ({ path: "/api/flush", method: "POST" }),
    "no token, a body": () => ({ path: "/v1/ingest/orders", method: "POST", body: large }),
    "large body": () => ({ path: "/v1/ingest/orders", method: "POST", headers: ndjson, body: large }),
    "large question": () => ({ path: "/api/query", method: "POST", headers: json, body: large }),
    "foreign origin": () => ({
      path: "/api/status",
      method: "GET",
      headers: { origin: "http://evil.example" },
    }),
    "foreign host": () => ({ path: "/api/status", method: "GET", headers: { host: "evil.example" } }),
    "cross site": () => ({ path: "/api/status", method: "GET", headers: { "sec-fetch-site": "cross-site" } }),
    "no such route": () => ({ path: `/${"x".repeat(victim.random.below(2000))}`, method: "GET" }),
  };
  while (!victim.signal.aborted) {
    for (const [name, make] of Object.entries(tries)) {
      const { path, ...options } = make();
      const status = await request(`${victim.url}${path}`, options).then(
        async ({ statusCode, body }) => {
          const text = await body.text().catch(() => "");
          assert.doesNotMatch(text, /node_modules|\.js:\d/, `${name} is answered with a stack`);
          return statusCode;
        },
        // Cut off while it sent what nobody asked for.
        () => 0,
      );
      const seen = answers[name] ?? {};
      answers[name] = { ...seen, [status]: (seen[status] ?? 0) + 1 };
    }
    await delay(20);
  }
}

/** Bytes that are no HTTP, or hardly. */
export async function babble({ url, random, signal }: Victim): Promise<number> {
  const starts = [
    "",
    "GET / HTTP/1.1\r\n",
    "POST /v1/ingest/orders HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n",
  ];
  let connections = 0;
  while (!signal.aborted) {
    const socket = open(url);
    const noise = Buffer.from(Array.from({ length: 1 + random.below(5000) }, () => random.below(256)));
    socket.end(Buffer.concat([Buffer.from(random.of(starts)), noise]));
    socket.resume();
    await delay(10);
    socket.destroy();
    connections += 1;
  }
  return connections;
}

/** Opens connections and sends headers byte by byte, without ever ending; those that are cut off are opened anew. Gives how many were. */
export async function dawdle({ url, signal }: Victim, sockets: number): Promise<number> {
  let cut = 0;
  const held = new Set<Socket>();
  while (!signal.aborted) {
    while (held.size < sockets) {
      const socket = open(url);
      socket.resume();
      socket.once("close", () => {
        if (held.delete(socket) && !signal.aborted) cut += 1;
      });
      socket.write("GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ");
      held.add(socket);
    }
    await delay(200);
    for (const socket of held) socket.write("x");
  }
  for (const socket of held) socket.destroy();
  return cut;
}

/** Readers of the stream: how many seconds each was told of. Every tenth reads nothing. */
export class Crowd {
  readonly #told = new Map<Socket, number>();
  readonly #deaf: Socket[] = [];

  async join(url: string, readers: number): Promise<void> {
    for (let i = 0; i < readers; i += 1) {
      const socket = open(url);
      socket.write("GET /api/stream HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
      if (i % 10 === 9) this.#deaf.push(socket);
      else {
        this.#told.set(socket, 0);
        // Enough to count by; what a chunk's border cuts in two is missed.
        socket.on("data", (bytes: Buffer) => {
          if (bytes.includes("event: status")) this.#told.set(socket, this.#told.get(socket)! + 1);
        });
      }
      if (i % 100 === 99) await delay(50);
    }
  }

  /** Of those that read, the one that was told least. */
  get least(): number {
    return Math.min(...this.#told.values());
  }

  leave(): void {
    for (const socket of [...this.#told.keys(), ...this.#deaf]) socket.destroy();
  }
}

function open(url: string): Socket {
  const socket = connect(Number(new URL(url).port), "127.0.0.1");
  socket.on("error", () => {});
  return socket;
}
