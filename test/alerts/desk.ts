import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { ClickHouse } from "../../src/clickhouse/client.js";
import { CliProcess, cli } from "../support/cli.js";
import { FaultProxy } from "../support/fault-proxy.js";
import { temporaryFolder } from "../support/folder.js";
import { startMigratedEngine } from "../support/migrated.js";
import { freePort } from "./alerting.js";

interface Context {
  after(end: () => void | Promise<void>): void;
}

/** Small limits, so that what takes a desk hours takes seconds here. */
const SETTINGS = [
  "wal.segment=1MiB",
  "wal.max=16MiB",
  "wal.keep_acked=1s",
  "wal.reserve=1MiB",
  "wal.emergency_disk=100%",
  "spool.after=1s",
  "tables.market_data.spool.max=16MiB",
  "conditions.level_held=2s",
  "heartbeat.every=1s",
  "log.level=error",
] as const;

/** A desk's service with its ClickHouse behind a proxy, and somebody who sends it rows all the time. */
export class Desk {
  readonly clickhouse: ClickHouse;
  readonly proxy: FaultProxy;
  readonly folder: string;
  readonly address: string;
  readonly #env: Readonly<Record<string, string>>;
  readonly #settings: readonly string[];
  #service: CliProcess | undefined;
  #feeding: NodeJS.Timeout | undefined;
  #sent = 0;
  /** Rows of each table sent every tenth of a second. */
  readonly rate: { orders: number; market_data: number } = { orders: 5, market_data: 20 };

  private constructor(parts: {
    clickhouse: ClickHouse;
    proxy: FaultProxy;
    folder: string;
    address: string;
    env: Readonly<Record<string, string>>;
  }) {
    this.clickhouse = parts.clickhouse;
    this.proxy = parts.proxy;
    this.folder = parts.folder;
    this.address = parts.address;
    this.#env = parts.env;
    this.#settings = [
      ...SETTINGS,
      `clickhouse.url=${parts.proxy.url}`,
      "clickhouse.database=coldpath",
      `admin.listen=${parts.address}`,
      `data_dir=${join(parts.folder, "data")}`,
    ];
  }

  static async start(t: Context): Promise<Desk> {
    const { engine, clickhouse } = await startMigratedEngine(t);
    const desk = new Desk({
      clickhouse,
      proxy: await FaultProxy.start(t, engine.url),
      folder: await temporaryFolder(t),
      address: `127.0.0.1:${await freePort()}`,
      env: { COLDPATH_CLICKHOUSE_PASSWORD: engine.password },
    });
    t.after(() => desk.end());
    await desk.startService();
    desk.#feeding = setInterval(() => void desk.#feed(), 100);
    return desk;
  }

  get walFolder(): string {
    return join(this.folder, "data", "wal");
  }

  /** @param set what is other than usual */
  async startService(set: readonly string[] = []): Promise<void> {
    this.#service = this.serve([...this.#settings, ...set]);
    await this.#service.printed(/http:\/\//);
  }

  /** Another service of this desk. */
  serve(settings: readonly string[]): CliProcess {
    return new CliProcess(["serve", ...settings.flatMap((each) => ["--set", each])], this.folder, this.#env);
  }

  get settings(): readonly string[] {
    return this.#settings;
  }

  async killService(): Promise<void> {
    this.#service?.child.kill("SIGKILL");
    await this.#service?.ended();
    this.#service = undefined;
  }

  async stopService(): Promise<void> {
    await this.#service?.stop();
    this.#service = undefined;
  }

  /** A command of the operator's. */
  async run(...args: string[]): Promise<void> {
    const { code, stderr } = await cli(
      [...args, ...this.#settings.flatMap((each) => ["--set", each])],
      this.folder,
    );
    assert.equal(code, 0, stderr);
  }

  /** Sends rows; nobody answers while the service is away. */
  async send(table: string, rows: readonly object[]): Promise<void> {
    const token = readFileSync(join(this.folder, "data", "admin-token"), "utf8").trim();
    await fetch(`http://${this.address}/v1/ingest/${table}`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/x-ndjson" },
      body: rows.map((row) => JSON.stringify(row)).join("\n"),
      signal: AbortSignal.timeout(2000),
    }).then(
      (answer) => answer.arrayBuffer(),
      () => undefined,
    );
  }

  async end(): Promise<void> {
    clearInterval(this.#feeding);
    await this.killService();
  }

  async #feed(): Promise<void> {
    if (this.#service === undefined) return;
    const { orders, market_data } = this.rate;
    await Promise.all([
      this.send(
        "orders",
        Array.from({ length: orders }, () => this.order()),
      ),
      this.send(
        "market_data",
        Array.from({ length: market_data }, () => this.#quote()),
      ),
    ]);
  }

  order(): object {
    this.#sent += 1;
    const ts = new Date().toISOString();
    return {
      ...{
        ts,
        client_order_id: `o-${this.#sent}`,
        strategy: "mm",
        symbol: "AAA",
        side: "buy",
        qty: 1,
        status: "new",
      },
    };
  }

  #quote(): object {
    this.#sent += 1;
    const ts = new Date().toISOString();
    return {
      ...{ ts_exchange: ts, ts_local: ts, symbol: `S${this.#sent % 50}`, kind: "quote" },
      ...{ bid_px1: 100 + (this.#sent % 1000) / 100, bid_sz1: 1, ask_px1: 120, ask_sz1: this.#sent % 97 },
    };
  }
}
