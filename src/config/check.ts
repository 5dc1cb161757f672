import { accessSync, constants, existsSync, readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { messageOf } from "../base/errors.js";
import { formatSize, MIB } from "../base/units.js";
import { NO_ZSTD, zstdCompress } from "../base/zstd.js";
import { ladderIssues } from "./check-ladder.js";
import type { ConfigIssue } from "./layers.js";
import type { Config } from "./schema.js";

/** One look at what keys say together. */
interface Check {
  /** Keys and groups of keys that it goes by. */
  readonly reads: readonly string[];
  readonly issues: (config: Config) => ConfigIssue[];
}

const CHECKS: readonly Check[] = [
  { reads: ["wal"], issues: logSizeIssues },
  { reads: ["wal.dir", "tables"], issues: logFolderIssues },
  { reads: ["spool.dir", "wal.dir", "data_dir", "tables"], issues: spoolFolderIssues },
  { reads: ["ring"], issues: ringIssues },
  { reads: ["intake.http"], issues: intakeIssues },
  { reads: ["clickhouse"], issues: clickHouseIssues },
  { reads: ["schemas"], issues: schemasIssues },
  { reads: ["data_dir"], issues: dataFolderIssues },
];

/**
 * Contradictions between keys, and places that cannot be used. Touches nothing.
 *
 * @param isBroken whether a key or a key of a group has a mistake already: what is said together with it says nothing
 */
export function crossCheck(config: Config, isBroken: (path: string) => boolean = () => false): ConfigIssue[] {
  const tables = Object.keys(config.tables).map((name) => ({
    reads: [`tables.${name}`, "memory"],
    issues: () => tableIssues(name, config),
  }));
  return [...tables, ...CHECKS]
    .filter(({ reads }) => !reads.some(isBroken))
    .flatMap(({ issues }) => issues(config));
}

/** Contradictions in what is said of one table, and between that and the memory. */
export function tableIssues(name: string, { tables, memory }: Config): ConfigIssue[] {
  const table = tables[name]!;
  const { flush, queue, class: kind, durability } = table;
  const issues = [...policyIssues(name, table), ...ladderIssues(name, table)];
  const issue = (key: string, message: string): void =>
    void issues.push({ path: `tables.${name}.${key}`, message });
  if (durability === "spool") issues.push(...spoolIssues(name, table));
  if (durability === "wal" && kind === "best_effort")
    issue(
      "durability",
      "wal is for critical tables: the log never drops a row, best_effort drops the oldest",
    );
  if (flush.rows > queue.rows)
    issue(
      "flush.rows",
      `a batch of ${flush.rows} rows never fits a queue of ${queue.rows}; raise queue.rows or lower flush.rows`,
    );
  const share = memory.max * (1 - memory.critical_reserve);
  if (flush.bytes * 2 > memory.max)
    issue("flush.bytes", "must be at most half of memory.max: one batch fills while another is sent");
  else if (kind === "best_effort" && flush.bytes > share)
    issue(
      "flush.bytes",
      `one batch does not fit ${formatSize(Math.floor(share))}: memory.max without memory.critical_reserve`,
    );
  return issues;
}

function ringIssues({ ring }: Config): ConfigIssue[] {
  if (ring.critical_reserve <= ring.size / 2) return [];
  const message = `must be at most half of ring.size, ${formatSize(ring.size)}: all other tables share the rest`;
  return [{ path: "ring.critical_reserve", message }];
}

function intakeIssues({ intake }: Config): ConfigIssue[] {
  const { max_body, memory } = intake.http;
  if (memory >= max_body) return [];
  const message = `must be at least intake.http.max_body, ${formatSize(max_body)}: the largest body must fit`;
  return [{ path: "intake.http.memory", message }];
}

function schemasIssues({ schemas }: Config): ConfigIssue[] {
  return schemas.flatMap((folder, index) =>
    existsSync(folder) ? [] : [{ path: `schemas.${index}`, message: `no such folder: ${folder}` }],
  );
}

function dataFolderIssues({ data_dir }: Config): ConfigIssue[] {
  const unwritable = notWritable(data_dir);
  return unwritable === undefined ? [] : [{ path: "data_dir", message: unwritable }];
}

function logSizeIssues({ wal }: Config): ConfigIssue[] {
  const issues: ConfigIssue[] = [];
  if (wal.segment * 4 > wal.max) {
    const message = `must be at most a quarter of wal.max, ${formatSize(wal.max)}: space is given free by whole files`;
    issues.push({ path: "wal.segment", message });
  }
  if (wal.reserve > wal.max) {
    const message = `must be at most wal.max, ${formatSize(wal.max)}`;
    issues.push({ path: "wal.reserve", message });
  }
  return issues;
}

function logFolderIssues({ wal, tables }: Config): ConfigIssue[] {
  const isUsed = Object.values(tables).some(({ durability }) => durability === "wal");
  const unwritable = isUsed && wal.dir !== undefined ? notWritable(wal.dir) : undefined;
  return unwritable === undefined ? [] : [{ path: "wal.dir", message: unwritable }];
}

/** The most bytes of a batch, whatever the table's flush limits are below that. */
const BATCH_BYTES: number = 8 * MIB;

function spoolIssues(table: string, { class: kind, flush, spool }: Config["tables"][string]): ConfigIssue[] {
  if (kind === "critical") {
    const message =
      "spool is for best_effort tables: it drops the oldest rows when it is full; wal never does";
    return [{ path: `tables.${table}.durability`, message }];
  }
  const least = 2 * Math.max(flush.bytes, BATCH_BYTES);
  if (spool.max >= least) return [];
  const message = `must be at least ${formatSize(least)}: a batch goes to disk as a whole, and another must be dropped for it`;
  return [{ path: `tables.${table}.spool.max`, message }];
}

function spoolFolderIssues({ spool: { dir }, wal, data_dir, tables }: Config): ConfigIssue[] {
  if (dir === undefined || !Object.values(tables).some(({ durability }) => durability === "spool")) return [];
  const taken = { "wal.dir": wal.dir ?? join(data_dir, "wal"), data_dir };
  for (const [key, other] of Object.entries(taken))
    if (resolve(dir) === resolve(other))
      return [{ path: "spool.dir", message: `is ${key}, too: give it a folder of its own` }];
  const unwritable = notWritable(dir);
  return unwritable === undefined ? [] : [{ path: "spool.dir", message: unwritable }];
}

function clickHouseIssues({ clickhouse }: Config): ConfigIssue[] {
  const { url = [], tls, compression, cluster, keeper_path, replica_name } = clickhouse;
  const issues: ConfigIssue[] = [];
  if (replica_name.match(/\{\w+\}/g)!.every((macro) => keeper_path.includes(macro))) {
    const message = `has all that tells replicas apart, ${replica_name}: each would have a path, hence rows, of its own`;
    issues.push({ path: "clickhouse.keeper_path", message });
  }
  if (cluster !== undefined && url.length === 0) {
    const message = "names a cluster of servers: set clickhouse.url to one of them";
    issues.push({ path: "clickhouse.cluster", message });
  }
  const plain = url.find((each) => !/^https:/i.test(each));
  if (Object.values(tls).some((value) => value !== undefined) && (plain !== undefined || url.length === 0)) {
    const message = `is for https, and clickhouse.url is ${plain ?? "not set"}; write https:// there, or leave tls out`;
    issues.push({ path: "clickhouse.tls", message });
  }
  if ((tls.cert_file === undefined) !== (tls.key_file === undefined)) {
    issues.push({ path: "clickhouse.tls", message: "cert_file and key_file go together" });
  }
  for (const key of ["ca_file", "cert_file", "key_file"] as const) {
    const unreadable = notReadable(tls[key]);
    if (unreadable !== undefined) issues.push({ path: `clickhouse.tls.${key}`, message: unreadable });
  }
  if (compression === "zstd" && zstdCompress === undefined)
    issues.push({ path: "clickhouse.compression", message: NO_ZSTD });
  return issues;
}

/** Contradictions within the rules of a table's policy. */
export function policyIssues(
  table: string,
  { policy, durability }: Pick<Config["tables"][string], "policy" | "durability">,
): ConfigIssue[] {
  const { dedup, sample, conflate, by, news, time } = policy;
  const issue = (key: string, message: string): ConfigIssue => ({
    path: `tables.${table}.policy.${key}`,
    message,
  });
  const issues: ConfigIssue[] = [];
  if (sample > 0 && conflate > 0)
    issues.push(issue("conflate", "and sample exclude each other: one of them is 0ms"));
  if (durability === "wal" && (sample > 0 || conflate > 0)) {
    const message = "holds rows back in memory, and those of this table are to be on disk: durability is wal";
    issues.push(issue(sample > 0 ? "sample" : "conflate", message));
  }
  if (table === "market_data") return issues;
  if ((dedup !== "none" || sample > 0 || conflate > 0) && by.length === 0)
    issues.push(issue("by", `names the columns that tell one series of ${table} from another`));
  if (dedup !== "none" && news.length === 0)
    issues.push(issue("news", `names the columns of ${table} whose change makes a row news`));
  if ((sample > 0 || conflate > 0) && time === "")
    issues.push(issue("time", `names the time column of ${table} that intervals are counted by`));
  return issues;
}

/** Why a file cannot be read; undefined if it can, or if none is named. */
function notReadable(file: string | undefined): string | undefined {
  try {
    if (file !== undefined) readFileSync(file);
    return undefined;
  } catch (error) {
    return `cannot read it: ${messageOf(error)}`;
  }
}

/** Why nothing can be written into a folder that may not exist yet; undefined if it can. */
function notWritable(folder: string): string | undefined {
  let place = folder;
  while (!existsSync(place)) place = join(place, "..");
  if (!statSync(place).isDirectory()) return `cannot write: ${place} is no folder`;
  try {
    accessSync(place, constants.W_OK | constants.X_OK);
    return undefined;
  } catch (error) {
    return `cannot write into ${place}: ${messageOf(error)}`;
  }
}
