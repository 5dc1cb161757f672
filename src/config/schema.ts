import { hostname } from "node:os";
import { z } from "zod";
import { DAY_MS, GIB, KIB, MIB, SECOND_MS } from "../base/units.js";
import { CONDITIONS } from "./conditions.js";
import { DEGRADE, type DegradeStep, MARKET_DATA_LADDER } from "./degrade.js";
import { count, duration, percent, size, text } from "./values.js";

/**
 * Every configuration key, declared once: path, type with unit, default, bounds and one line of meaning. The parser, the
 * environment names, `config show`, the file that `init` writes and the reference page all come from this declaration.
 */

/** What a key's `.meta()` carries besides zod's own. */
export interface KeyMeta {
  readonly description: string;
  /** Shown as `***`; may come only from the environment or from a file named by a `…_file` key. */
  readonly secret?: boolean;
  /**
   * Why a change of it needs a restart; false if a reload is enough. Said of a group it holds for its keys, unless one says otherwise.
   */
  readonly restart?: string | false;
  /** A file or folder; a relative one counts from the configuration file's folder. */
  readonly pathLike?: boolean;
}

/** Credentials follow from '@', and the client would drop a query; both are refused wherever they stand. */
function isPlainAddress(text: string): boolean {
  return /^https?:\/\/[^@?#]+$/i.test(text) && URL.canParse(text);
}

/** One address, a list, or in the environment a list with commas. */
function addressesOf(value: unknown): string[] {
  const list: unknown[] = Array.isArray(value) ? value : typeof value === "string" ? value.split(",") : [];
  return list.map((each) => (typeof each === "string" ? each.trim() : ""));
}

function arePlainAddresses(value: unknown): boolean {
  const addresses = addressesOf(value);
  return (
    addresses.length > 0 &&
    addresses.every(isPlainAddress) &&
    new Set(addresses.map((each) => new URL(each).href)).size === addresses.length
  );
}

const PORT_MAX = 65_535;

/** `host:port`, the host and its port's place given by the pattern. */
function address(pattern: RegExp, error: string, fallback: string) {
  return z
    .string()
    .regex(pattern, { error })
    .refine((text) => Number(text.slice(text.lastIndexOf(":") + 1)) <= PORT_MAX, { error })
    .prefault(fallback);
}

function isPowerOfTwo(value: number): boolean {
  return Number.isInteger(Math.log2(value));
}

function table(
  kind: "critical" | "best_effort",
  rows: number,
  queueRows: number,
  ladder: readonly DegradeStep[] = [],
) {
  return z
    .strictObject({
      class: z.enum(["critical", "best_effort"]).prefault(kind).meta({
        description: "critical: never dropped, refused when full; best_effort: oldest dropped when full",
      }),
      durability: z.enum(["wal", "spool", "memory"]).optional().meta({
        description:
          "where a row is before ClickHouse has it: wal (in the log, see wal.dir), spool (in memory, and on disk while ClickHouse is away) or memory; default: wal for critical tables, spool for others",
      }),
      flush: z
        .strictObject({
          rows: count(rows, 1, 1_000_000).meta({ description: "rows that close a batch" }),
          bytes: size("8MiB", KIB, 200 * MIB).meta({ description: "encoded bytes that close a batch" }),
          age: duration("250ms", 1, 60_000).meta({ description: "age of its first row that closes a batch" }),
        })
        .prefault({})
        .meta({ restart: false }),
      queue: z
        .strictObject({
          rows: count(queueRows, 1, 100_000_000).meta({
            description:
              "rows waiting, open or being sent, before the table is full; with durability wal, those in memory: more wait in the log",
          }),
          age: duration("1m", 100, 60 * 60 * SECOND_MS).meta({
            description: "age of the oldest row not stored that counts as overload, while ClickHouse answers",
          }),
        })
        .prefault({}),
      policy: z
        .strictObject({
          dedup: z.enum(["none", "bbo"]).prefault("none").meta({
            description:
              "bbo: leave out quotes that change neither best price nor size, depth that changes no level",
          }),
          sample: duration("0ms", 0, 60_000).meta({
            description:
              "keep the first row of a series in each interval, and the last before a quiet stretch; 0ms: all",
          }),
          conflate: duration("0ms", 0, 60_000).meta({
            description: "keep the last row of a series in each interval; 0ms: all",
          }),
          depth: count(5, 1, 1000).meta({
            description: "levels kept of each side of a depth snapshot",
            restart: "the intakes cut snapshots by it since the start",
          }),
          series: count(100_000, 1, 10_000_000).meta({
            description: "series remembered: symbol and kind in market_data",
          }),
          by: z.array(text("the name of a column")).prefault([]).meta({
            description: "columns that tell series apart, in a table other than market_data",
          }),
          news: z.array(text("the name of a column")).prefault([]).meta({
            description: "columns whose change makes a row news, in a table other than market_data",
          }),
          time: z.string().prefault("").meta({
            description: "column that intervals are counted by, in a table other than market_data",
          }),
        })
        .prefault({})
        .meta({ restart: false }),
      degrade: DEGRADE,
      spool: z
        .strictObject({
          max: size("2GiB", 16 * MIB).meta({
            description: "on disk, with durability spool; beyond it the oldest rows are dropped",
          }),
        })
        .prefault({}),
    })
    .transform((options) => ({
      ...options,
      durability: options.durability ?? DURABILITY[options.class],
      degrade: options.degrade ?? (options.class === "best_effort" ? ladder : []),
    }))
    .prefault({})
    .meta({ restart: "rows of the table are kept by it since the start" });
}

const DURABILITY = { critical: "wal", best_effort: "spool" } as const;

/** Tables expire by `toDateTime`, which wraps for times before 1970: such a row would outlive its keep by a century. */
const EVENT_PAST_MAX_MS: number = 50 * 365 * DAY_MS;

export const CONFIG_SCHEMA = z.strictObject({
  recorder: z
    .strictObject({
      id: z
        .string()
        .regex(/^[\w.-]{1,64}$/, { error: "1 to 64 letters, digits, '.', '_' or '-'" })
        .prefault(
          hostname()
            .replace(/[^\w.-]/g, "-")
            .slice(0, 64) || "recorder",
        )
        .meta({
          description:
            "name of this recorder in every row's identity, unique among recorders; default: the host name",
          fallback: "",
        }),
      env: z
        .string()
        .regex(/^[\w.-]{1,64}$/, { error: "1 to 64 letters, digits, '.', '_' or '-'" })
        .prefault("dev")
        .meta({ description: "environment written into every row, such as prod" }),
    })
    .prefault({})
    .meta({ restart: "it names this start in ClickHouse and in the log" }),
  data_dir: text("the path of a folder").prefault("./data").meta({
    description: "folder of the embedded ClickHouse and of the recorder's own files",
    pathLike: true,
    restart: "what is in it is open",
  }),
  clickhouse: z
    .strictObject({
      url: z
        .custom<string | readonly string[]>(arePlainAddresses, {
          error:
            "an http:// or https:// address without credentials, '?' and '#' (use clickhouse.user and clickhouse.password_file), or a list of different ones",
        })
        .transform(addressesOf)
        .optional()
        .meta({
          description:
            "HTTP address of a ClickHouse server, or a list of those of one replica set, the preferred first; without it ClickHouse runs embedded",
        }),
      database: z
        .string()
        .regex(/^[A-Za-z_]\w{0,63}$/, { error: "a plain identifier" })
        .prefault("coldpath")
        .meta({ description: "database of the tables" }),
      user: text("a name").prefault("default").meta({ description: "user of the server" }),
      password: z
        .string()
        .optional()
        .meta({ description: "password; only from the environment, see password_file", secret: true }),
      password_file: text("the path of a file")
        .optional()
        .meta({ description: "file that holds the password", pathLike: true }),
      required_at_start: z.boolean({ error: "true or false" }).prefault(false).meta({
        description:
          "whether a recorder does not start while the server is away; else it starts if some table has durability wal or spool, and asks what a start asks once the server answers",
      }),
      tls: z
        .strictObject({
          ca_file: text("the path of a file")
            .optional()
            .meta({ description: "certificate authority, PEM", pathLike: true }),
          cert_file: text("the path of a file")
            .optional()
            .meta({ description: "client certificate, PEM", pathLike: true }),
          key_file: text("the path of a file")
            .optional()
            .meta({ description: "client key, PEM", pathLike: true }),
          server_name: text("a name")
            .optional()
            .meta({ description: "name expected in the server's certificate" }),
        })
        .prefault({}),
      compression: z.enum(["auto", "none", "lz4", "gzip", "zstd"]).prefault("auto").meta({
        description: "of insert bodies; auto: none on loopback, lz4 elsewhere; zstd needs Node 22.15",
      }),
      cluster: z
        .string()
        .regex(/^(?:\w[\w.-]{0,63}|\{\w+\})$/, { error: "a cluster's name, or a macro such as {cluster}" })
        .optional()
        .meta({
          description:
            "cluster whose replicas hold the tables: migrate --print renders for it, critical rows wait for a quorum",
        }),
      keeper_path: z
        .string()
        .regex(/^(?=.*\{(?!(?:cluster|database|table)\})\w+\})(?!.*\{uuid\})(?:\/[\w.{}-]+)+$/, {
          error:
            "a path from / with the shard's macro in it and no {uuid}, such as /clickhouse/tables/{shard}",
        })
        .prefault("/clickhouse/tables/{shard}")
        .meta({ description: "Keeper path of one shard's replicated tables; database and table are added" }),
      replica_name: z
        .string()
        .regex(/\{\w+\}/, { error: "a name with a macro in it, as each server has its own: {replica}" })
        .prefault("{replica}")
        .meta({ description: "name of a replica within its shard, a macro of the servers" }),
    })
    .prefault({})
    .meta({ restart: "ClickHouse was connected to and checked with it" }),
  engine: z
    .strictObject({
      listen: address(
        /^(127\.0\.0\.1|localhost|\[::1\]):\d{1,5}$/,
        "a loopback address with port up to 65535, such as 127.0.0.1:8123",
        "127.0.0.1:0",
      ).meta({ description: "address of the embedded ClickHouse; port 0 takes a free one" }),
      memory: size("2GiB", 256 * MIB).meta({ description: "memory limit of the embedded ClickHouse" }),
      query_memory: size("1GiB", 16 * MIB).meta({
        description: "memory limit of one statement; its own settings may only say less",
      }),
      max_statement: size("1MiB", KIB, 16 * MIB).meta({
        description: "longest statement, without the data of an INSERT",
      }),
      incoming: size("8GiB", 64 * MIB).meta({
        description: "disk for the data of INSERTs on its way in; one may take as much as is still free",
      }),
      reader: z
        .strictObject({
          enabled: z.boolean({ error: "true or false" }).prefault(true).meta({
            description: "whether anybody on this machine may read without the password",
          }),
          max_time: duration("5m", 100).meta({
            description: "longest run of a statement without the password",
          }),
          max_result: size("4GiB").meta({ description: "largest result without the password" }),
        })
        .prefault({}),
    })
    .prefault({})
    .meta({ restart: "the embedded ClickHouse was started with it" }),
  schemas: z.array(text("the path of a folder")).prefault([]).meta({
    description: "folders with your own NNNN_name.sql files, applied after the built-in ones",
    pathLike: true,
    restart: "they are applied at the start",
  }),
  tables: z
    .object({
      market_data: table("best_effort", 50_000, 500_000, MARKET_DATA_LADDER),
      orders: table("critical", 2_000, 200_000),
      fills: table("critical", 2_000, 200_000),
      positions_intraday: table("critical", 2_000, 200_000),
      account_state: table("critical", 2_000, 200_000),
      risk_decisions: table("critical", 2_000, 200_000),
      guardrail_transitions: table("critical", 2_000, 200_000),
      system_events: table("critical", 2_000, 200_000),
    })
    .catchall(table("critical", 10_000, 200_000))
    .prefault({}),
  memory: z
    .strictObject({
      max: size("40MiB", 16 * MIB).meta({ description: "encoded rows of all tables held in memory" }),
      critical_reserve: percent("25%", 0, 0.9).meta({
        description: "share of it that only critical tables may take",
      }),
    })
    .prefault({})
    .meta({ restart: "it was shared out among the tables at the start" }),
  wal: z
    .strictObject({
      dir: text("the path of a folder").optional().meta({
        description: "folder of the log of critical rows, on a local disk; default data_dir/wal",
        pathLike: true,
      }),
      commit: duration("2ms", 1, 1000).meta({
        description: "longest time until a sync of a row begins; sooner when somebody waits for it",
      }),
      segment: size("64MiB", MIB, GIB).meta({ description: "of one file of the log" }),
      max: size("20GiB", 16 * MIB).meta({
        description: "of all files; critical rows are refused beyond it",
      }),
      keep_acked: duration("5m", SECOND_MS, DAY_MS).meta({
        description:
          "how long stored rows stay in the log, should ClickHouse's host lose what it has not synced",
      }),
      reserve: size("64MiB", 0, 16 * GIB).meta({
        description:
          "disk space taken at start and given free when the disk is full, so that the log can still shrink",
      }),
      emergency_disk: percent("90%", 0.5, 1).meta({
        description: "share of the disk in use from which critical rows are refused",
      }),
    })
    .prefault({})
    .meta({ restart: "the log was opened with it" }),
  spool: z
    .strictObject({
      dir: text("the path of a folder").optional().meta({
        description:
          "folder of best-effort rows while ClickHouse is away, on a local disk; default data_dir/spool",
        pathLike: true,
      }),
      order: z.enum(["oldest_first", "newest_first"]).prefault("oldest_first").meta({
        description: "which rows are stored first when ClickHouse is back",
      }),
      after: duration("5s", 10, 10 * 60 * SECOND_MS).meta({
        description: "how long rows wait in memory for a ClickHouse that is away before they go to disk",
      }),
    })
    .prefault({})
    .meta({ restart: "the spools were opened with it" }),
  conditions: CONDITIONS,
  heartbeat: z
    .strictObject({
      every: duration("0s", 0, DAY_MS).meta({
        description:
          "how often a service writes a row of system_events and reads it back, so that freshness is measured as a reader sees it; 0s: never",
      }),
    })
    .prefault({})
    .meta({ restart: "it beats since the start" }),
  ring: z
    .strictObject({
      size: size("16MiB", MIB, GIB)
        .refine(isPowerOfTwo, { error: "a power of two, such as 16MiB" })
        .meta({ description: "of each producer's ring, a power of two" }),
      critical_reserve: size("4MiB", 0).meta({
        description: "part of it that only critical tables may fill",
      }),
      on_full: z.enum(["append", "refuse"]).prefault("append").meta({
        description:
          "critical rows that find even the reserve full: appended to a file in data_dir/overflow, or refused",
      }),
    })
    .prefault({})
    .meta({ restart: "rings were laid out with it" }),
  accept: z
    .strictObject({
      past: duration("30y", 1, EVENT_PAST_MAX_MS).meta({
        description: "oldest event time taken; older rows go to the dead letters",
      }),
      future: duration("1d").meta({ description: "furthest event time ahead of this host's clock" }),
    })
    .prefault({})
    .meta({ restart: "tables take rows by it since the start" }),
  intake: z
    .strictObject({
      max_line: size("1MiB", KIB, 64 * MIB).meta({ description: "longest line of a file or request body" }),
      http: z
        .strictObject({
          max_body: size("32MiB", KIB, GIB).meta({
            description: "largest request body, after decompression",
          }),
          memory: size("128MiB", KIB).meta({
            description: "bodies of all requests together, after decompression",
          }),
          keys: z
            .strictObject({
              ttl: duration("24h", 1000).meta({
                description: "how long the answer to a request with an Idempotency-Key is given again",
              }),
              memory: size("32MiB", KIB, GIB).meta({
                description:
                  "answers remembered, some 100,000 short ones; beyond that the oldest are forgotten",
              }),
            })
            .prefault({}),
        })
        .prefault({}),
    })
    .prefault({})
    .meta({ restart: "the intake was started with it" }),
  admin: z
    .strictObject({
      listen: address(
        /^(\[[0-9a-fA-F:]+\]|[^:\s]+):\d{1,5}$/,
        "an address with port up to 65535, such as 127.0.0.1:9712",
        "127.0.0.1:9712",
      ).meta({ description: "address of the HTTP intake and admin API; port 0 takes a free one" }),
      token_file: text("the path of a file").optional().meta({
        description:
          "file with the token that writes need; made at first start, default data_dir/admin-token",
        pathLike: true,
      }),
    })
    .prefault({})
    .meta({ restart: "the server was started with it" }),
  log: z
    .strictObject({
      level: z
        .enum(["debug", "info", "warn", "error"])
        .prefault("info")
        .meta({ description: "least severe line written" }),
      format: z.enum(["json", "pretty"]).prefault("json").meta({
        description: "json: one object a line, for programs; pretty: one line of text, for people",
        restart: "the log was opened with it",
      }),
    })
    .prefault({})
    .meta({ restart: false }),
});

export type Config = z.output<typeof CONFIG_SCHEMA>;

/** The configuration as a person writes it, in a file or in code: any key may be left out. */
export type ConfigInput = z.input<typeof CONFIG_SCHEMA>;
