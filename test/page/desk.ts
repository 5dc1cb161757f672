import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Engine } from "../../src/engine/engine.js";
import { CliProcess } from "../support/cli.js";
import type { EngineContext } from "../support/engine.js";
import { temporaryFolder } from "../support/folder.js";
import { startMigratedEngine } from "../support/migrated.js";

/** `coldpath serve` in a process of its own, on an embedded ClickHouse of the test's that can be killed and started again. */
export interface Desk {
  readonly url: string;
  readonly token: string;
  readonly engine: Engine;
  /** Sends trades of that symbol, and as many orders; the status of the answer about the orders. */
  send(symbol: string, count: number, reason?: string): Promise<number>;
  /** Sends an order that no table can take. */
  sendBroken(): Promise<void>;
  /** Writes the configuration file of the folder it runs in. */
  configure(text: string): Promise<void>;
  /** As `kill -9`. */
  killService(): Promise<void>;
  /** On the same address and folder as before. */
  startService(): Promise<void>;
}

const PATIENCE_MS = 15_000;

export async function startDesk(
  t: EngineContext,
  set: Readonly<Record<string, string>> = {},
  host = "127.0.0.1",
): Promise<Desk> {
  const { engine } = await startMigratedEngine(t);
  const cwd = await temporaryFolder(t);
  const env = { COLDPATH_CLICKHOUSE_PASSWORD: engine.password };
  let listen = `${host}:0`;
  let serve: CliProcess;
  const start = async (): Promise<string> => {
    const all = {
      "clickhouse.url": engine.url,
      "clickhouse.user": engine.user,
      ...set,
      "admin.listen": listen,
    };
    const given = Object.entries(all).flatMap(([key, value]) => ["--set", `${key}=${value}`]);
    serve = new CliProcess([...given, "serve"], cwd, env);
    const [, url] = await serve.printed(/status\s+(http:\/\/\S+?)\//);
    listen = new URL(url!).host;
    return url!;
  };
  const kill = async (): Promise<void> => {
    serve.child.kill("SIGKILL");
    await serve.ended();
  };
  t.after(kill);
  const url = await start();
  const token = (await readFile(join(cwd, "data", "admin-token"), "utf8")).trim();
  const post = async (table: string, rows: readonly object[]): Promise<number> => {
    // Rows that were taken just before the log was full are answered once it has room again.
    const answer = await fetch(`${url}/v1/ingest/${table}`, {
      method: "POST",
      headers: { "content-type": "application/x-ndjson", authorization: `Bearer ${token}` },
      body: rows.map((row) => JSON.stringify(row)).join("\n"),
      signal: AbortSignal.timeout(PATIENCE_MS),
    }).catch((error: Error) => (error.name === "TimeoutError" ? undefined : Promise.reject(error)));
    await answer?.arrayBuffer();
    return answer?.status ?? 0;
  };
  let sent = 0;
  return {
    url,
    token,
    engine,
    configure: async (text) => await writeFile(join(cwd, "coldpath.yaml"), text),
    killService: kill,
    startService: async () => void (await start()),
    send: async (symbol, count, reason = "") => {
      const ts = new Date().toISOString();
      const orders = Array.from({ length: count }, () => ({
        ...{ ts, client_order_id: `o${++sent}`, strategy: "s", symbol, side: "buy", qty: 1, status: "new" },
        reject_reason: reason,
      }));
      const trades = orders.map(() => ({
        ...{ ts_exchange: ts, ts_local: ts, symbol, kind: "trade", last_px: "1.5", last_qty: "2" },
      }));
      // Answered when ClickHouse has them, which may be long: these have no log.
      void post("market_data", trades).catch(() => {});
      return await post("orders", orders);
    },
    sendBroken: async () => {
      const status = await post("orders", [{ ts: "today", client_order_id: "<b>x</b>", strategy: "s" }]);
      assert.equal(status, 200);
    },
  };
}
