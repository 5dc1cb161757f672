import { join } from "node:path";
import { ClickHouse } from "../clickhouse/client.js";
import type { Config } from "../config/schema.js";
import { Engine, type EngineOptions } from "../engine/engine.js";
import type { Place } from "../schemas/grants/rights.js";

/** The ClickHouse that the configuration means, ready to be asked. */
export interface OpenedClickHouse {
  readonly clickhouse: ClickHouse;
  /** The embedded engine, unless a server is configured. */
  readonly engine: Engine | undefined;
  close(): Promise<void>;
}

/** Folder of the embedded ClickHouse's data. */
export function engineFolder(config: Config): string {
  return join(config.data_dir, "clickhouse");
}

/** Folder of the rows that were refused. */
export function deadLettersFolder(config: Config): string {
  return join(config.data_dir, "dead-letters");
}

/** Folder of the log of critical rows. */
export function walFolder({ data_dir, wal }: Config): string {
  return wal.dir ?? join(data_dir, "wal");
}

/** Folder of best-effort rows while ClickHouse is away; each table has one in it. */
export function spoolFolder({ data_dir, spool }: Config): string {
  return spool.dir ?? join(data_dir, "spool");
}

/** What the configuration says of the embedded ClickHouse. */
export function engineOptions(config: Config): EngineOptions {
  const { listen, memory, query_memory, max_statement, incoming, reader } = config.engine;
  return {
    dataDir: engineFolder(config),
    listen: parseListen(listen),
    memory,
    limits: {
      queryMemory: query_memory,
      statement: max_statement,
      incoming,
      reader: { enabled: reader.enabled, maxTimeMs: reader.max_time, maxResult: reader.max_result },
    },
  };
}

/**
 * Connects to the first of the configured endpoints that answers, or starts the embedded engine (or joins the one that serves this data folder).
 * For a recorder that may start without it a server need not be connected to.
 */
export async function openClickHouse(
  config: Config,
  { connect = true }: { readonly connect?: boolean } = {},
): Promise<OpenedClickHouse> {
  const { url, user, password, database, tls } = config.clickhouse;
  if (url !== undefined) {
    const clickhouse = new ClickHouse({
      url,
      user,
      database,
      tls,
      ...(password === undefined ? {} : { password }),
    });
    try {
      if (connect) await clickhouse.connect();
    } catch (error) {
      await clickhouse.close();
      throw error;
    }
    return { clickhouse, engine: undefined, close: () => clickhouse.close() };
  }
  const engine = await Engine.startOrJoin(engineOptions(config));
  const clickhouse = new ClickHouse({
    url: engine.url,
    user: engine.user,
    password: engine.password,
    database,
  });
  const close = async (): Promise<void> => {
    await clickhouse.close();
    await engine.close();
  };
  return { clickhouse, engine, close };
}

/** `127.0.0.1:9712` or `[::1]:9712` as host and port. */
export function parseListen(text: string): { host: string; port: number } {
  const at = text.lastIndexOf(":");
  return { host: text.slice(0, at).replace(/^\[|\]$/g, ""), port: Number(text.slice(at + 1)) };
}

/** What the rights of the server's users are about. */
export function placeOf({ clickhouse, tables }: Config): Place {
  const { database, cluster, url = [] } = clickhouse;
  const isReplicated = cluster !== undefined || url.length > 1;
  return { database, tables: Object.keys(tables), cluster, isReplicated };
}
