import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Dispatcher, request } from "undici";
import { ClickHouse } from "../../src/clickhouse/client.js";
import { Engine, type EngineOptions } from "../../src/engine/engine.js";

/** What a test needs of its context. A file shares one engine by `await startTestEngine({ after })` at its top level. */
export interface EngineContext {
  readonly after: (fn: () => Promise<void> | void) => void;
}

export interface TestEngine {
  readonly engine: Engine;
  /** As the owner, in database `default`. */
  readonly clickhouse: ClickHouse;
  readonly dataDir: string;
}

/** An embedded ClickHouse on a folder of its own; both go away after the test. */
export async function startTestEngine(
  t: EngineContext,
  options: Partial<EngineOptions> = {},
): Promise<TestEngine> {
  const folder = options.dataDir ?? (await mkdtemp(join(tmpdir(), "coldpath-test-")));
  const dataDir = options.dataDir ?? join(folder, "clickhouse");
  const open: { engine?: Engine; clickhouse?: ClickHouse } = {};
  // One hook for all: hooks run in the order they were made, and a living engine's folder cannot be removed.
  t.after(async () => {
    await open.clickhouse?.close();
    open.engine?.kill();
    await open.engine?.close();
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  });
  const engine = await Engine.start({ ...options, dataDir });
  const { url, user, password } = engine;
  const clickhouse = new ClickHouse({ url, user, password, database: "default" });
  Object.assign(open, { engine, clickhouse });
  return { engine, clickhouse, dataDir };
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

export interface Question {
  readonly method?: Dispatcher.HttpMethod;
  readonly path?: string;
  /** URL parameters. */
  readonly search?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  /** Send the engine's password. Default true. */
  readonly asOwner?: boolean;
}

/** One raw request to an engine, with the whole answer. */
export async function ask(engine: Engine, question: Question): Promise<Answer> {
  const { method = "POST", path = "/", search = {}, headers = {}, body = null, asOwner = true } = question;
  const answer = await request(`${engine.url}${path}?${new URLSearchParams(search)}`, {
    method,
    headers: { ...(asOwner ? { "x-clickhouse-key": engine.password } : {}), ...headers },
    body,
  });
  const text = await answer.body.text();
  return { status: answer.statusCode, headers: answer.headers as Record<string, string>, text };
}
