import type { Reader } from "../admin/question.js";
import { GIB } from "../base/units.js";
import { ClickHouse } from "../clickhouse/client.js";
import type { Config } from "../config/schema.js";
import type { OpenedClickHouse } from "./open.js";

/** Its own, so that a question takes no socket from the rows. */
const CONNECTIONS = 4;
/** Bytes that a question may take of a server. */
const MEMORY_MAX: number = GIB;

/**
 * Who answers questions in SQL: where the embedded engine lets anybody on this machine read, its reader without the password; else the configured
 * user, kept to reading.
 */
export function readerOf({ engine }: Config, { clickhouse, engine: embedded }: OpenedClickHouse): Reader {
  const { password, ...options } = clickhouse.options;
  const isOpen = embedded !== undefined && engine.reader.enabled;
  const secret = isOpen || password === undefined ? {} : { password };
  return {
    clickhouse: new ClickHouse({ ...options, ...secret, connections: CONNECTIONS }),
    endpoint: () => clickhouse.endpoint,
    // The embedded engine has a limit of its own.
    settings: embedded === undefined ? { max_memory_usage: MEMORY_MAX } : {},
    isOpen,
  };
}
