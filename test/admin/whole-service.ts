import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type LoadedConfig, loadConfig } from "../../src/config/load.js";
import { type Service, startService } from "../../src/service/serve.js";
import type { EngineContext } from "../support/engine.js";
import { temporaryFolder } from "../support/folder.js";
import { layMigrated } from "../support/migrated.js";
import type { Exchange } from "./described.js";

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // What an answer holds is asserted by its test.
  // biome-ignore lint/suspicious/noExplicitAny: JSON of any shape
  readonly json: any;
  readonly text: string;
}

export interface WholeService {
  readonly service: Service;
  readonly folder: string;
  readonly token: string;
  /** Everything that was asked, and answered. */
  readonly exchanges: readonly Exchange[];
  /** Asks as somebody who has the token, unless `asGuest`. An object becomes a JSON body. */
  ask(method: string, path: string, options?: Asking): Promise<Answer>;
}

interface Asking {
  readonly body?: object | string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly asGuest?: boolean;
}

/** All that `serve` is, with the embedded engine, in a folder of its own. */
export async function startWhole(t: EngineContext, set: readonly string[] = []): Promise<WholeService> {
  const folder = await temporaryFolder(t);
  await layMigrated(join(folder, "data", "clickhouse"));
  const load = (): LoadedConfig =>
    loadConfig({
      file: undefined,
      env: {},
      set: ["admin.listen=127.0.0.1:0", "log.level=error", `data_dir=${join(folder, "data")}`, ...set],
      cwd: folder,
    });
  const service = await startService(load(), load);
  t.after(async () => {
    await service.close(10_000);
  });
  const token = readFileSync(service.tokenFile, "utf8").trim();
  const exchanges: Exchange[] = [];
  const ask = async (method: string, path: string, options: Asking = {}): Promise<Answer> => {
    const { body, headers = {}, asGuest = false } = options;
    const answer = await fetch(`${service.adminUrl}${path}`, {
      method,
      headers: {
        ...(asGuest ? {} : { authorization: `Bearer ${token}` }),
        ...(typeof body === "object" ? { "content-type": "application/json" } : {}),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === "object" ? JSON.stringify(body) : body }),
    });
    const text = await answer.text();
    const isJson = answer.headers.get("content-type")?.startsWith("application/json") === true;
    const json = isJson ? JSON.parse(text) : undefined;
    const { status, headers: answered } = answer;
    const contentType = answered.get("content-type") ?? "";
    exchanges.push({ method, path, sent: body, status, contentType, received: json ?? text });
    return { status, headers: answered, text, json };
  };
  return { service, folder, token, exchanges, ask };
}
