import { ClickHouse, type RequestOptions } from "../../src/clickhouse/client.js";
import { LogClient, type LogClientOptions } from "../../src/wal/log-client.js";
import type { Recovered } from "../../src/wal/recovered.js";

/**
 * Takes single mechanisms out of the thread that runs it, from outside: the oracle has to see each of them missing. The product has no
 * switch for that, so its methods are replaced.
 * `power loss` takes nothing away: the disk forgets what was not synced, and the recorder has to hold.
 */
export type Weakening =
  | "power loss"
  | "no sync"
  | "no token"
  | "no asking"
  | "no seals"
  | "no ring positions";

/** Names of what is to be missing, with commas. */
export const WEAKEN_ENV = "COLDPATH_TEST_WEAKEN";

/** Call before anything of the recorder runs in this thread. */
export function weaken(): void {
  for (const name of (process.env[WEAKEN_ENV] ?? "").split(",").filter((each) => each !== ""))
    WEAKEN[name as Weakening]();
}

const WEAKEN: Readonly<Record<Weakening, () => void>> = {
  "power loss": () => replaceDisk(false),
  "no sync": () => replaceDisk(true),
  "no token": () => {
    const insert = ClickHouse.prototype.insert;
    ClickHouse.prototype.insert = function (request) {
      const { insert_deduplication_token: _, ...settings } = request.settings ?? {};
      return insert.call(this, {
        ...request,
        settings: { ...settings, insert_deduplicate: 0, deduplicate_insert: "disable" },
      });
    };
  },
  "no asking": () => {
    const rows = ClickHouse.prototype.rows;
    ClickHouse.prototype.rows = async function <T>(sql: string, options?: RequestOptions): Promise<T[]> {
      if (/ AS rows, uniqExact\(seq\) AS seqs /.test(sql)) return [{ rows: "0", seqs: "0" }] as T[];
      return / AND seq BETWEEN /.test(sql) ? [] : ((await rows.call(this, sql, options)) as T[]);
    };
  },
  "no seals": () =>
    replaceRecovered((recovered) => ({
      ...recovered,
      marks: recovered.marks.filter(({ record }) => record.kind !== "seal"),
    })),
  "no ring positions": () => replaceRecovered((recovered) => ({ ...recovered, positions: new Map() })),
};

function replaceDisk(lies: boolean): void {
  const open = LogClient.open;
  const disk = { module: new URL("./disk.js", import.meta.url), data: { lies } };
  LogClient.open = (options: LogClientOptions) => open.call(LogClient, { ...options, disk });
}

function replaceRecovered(change: (recovered: Recovered) => Recovered): void {
  const open = LogClient.open;
  LogClient.open = async (options: LogClientOptions) => {
    const { client, recovered } = await open.call(LogClient, options);
    return { client, recovered: change(recovered) };
  };
}
