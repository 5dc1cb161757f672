import { rm } from "node:fs/promises";
import { join } from "node:path";
import { type Dispatcher, request } from "undici";
import { ClickHouse } from "../../src/clickhouse/client.js";
import { Engine, type EngineOptions } from "../../src/engine/engine.js";
import { temporaryFolder } from "./folder.js";

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
  const dataDir = options.dataDir ?? join(await temporaryFolder(t), "clickhouse");
  const engine = await Engine.start({ ...options, dataDir });
  const { url, user, password } = engine;
  const clickhouse = new ClickHouse({ url, user, password, database: "default" });
  t.after(async () => {
    await clickhouse.close();
    engine.kill();
    await engine.close();
    await rm(dataDir, { recursive: true, force: true, maxRetries: 5 });
  });
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
