import { quoteString } from "../../clickhouse/quote.js";
import { plainName } from "../cluster/editable.js";
import { LOCK_TABLES } from "../lock.js";
import { RECORDS_TABLE } from "../records.js";

/** One right that a role needs, and what for. */
export interface Right {
  /** As GRANT names it, such as `SYSTEM SYNC REPLICA`. */
  readonly right: string;
  /** Where, as SQL: tables, a database, an engine. */
  readonly on: readonly string[];
  /** The statements of ours that need it. */
  readonly why: string;
  /** Without it nothing fails if somebody else has done that step, so it is not asked for at start. */
  readonly isOnce?: true;
}

/** What the rights are about. */
export interface Place {
  readonly database: string;
  /** Tables that the recorder writes, besides its own. */
  readonly tables: readonly string[];
  readonly cluster: string | undefined;
  /** Whether the tables have replicas, which fetch from each other before rows in doubt are counted. */
  readonly isReplicated: boolean;
}

/** Who does what with the database. A right stands in one place: what is printed, checked at start and tested is this. */
export const ROLES = ["migrator", "writer", "reader", "retention"] as const;
export type RoleName = (typeof ROLES)[number];

/** Registers each start, and tells of another recorder with the same name. */
const RUNS = "recorder_runs";

/** The rights of a role: exactly those without which one of its statements is refused. */
export function rightsOf(role: RoleName, place: Place): Right[] {
  const all = `${plainName(place.database)}.*`;
  const tables = place.tables.map((table) => `${plainName(place.database)}.${plainName(table)}`);
  const runs = `${plainName(place.database)}.${RUNS}`;
  switch (role) {
    case "migrator":
      return place.cluster === undefined ? migrator(all) : clusterMigrator(all);
    case "writer":
      return writer(tables, runs, place.isReplicated);
    case "reader":
      return [{ right: "SELECT", on: [all], why: "questions, by tables and views" }];
    case "retention":
      return [
        { right: "SELECT", on: [all], why: "what a partition holds, before it goes" },
        { right: "ALTER DELETE", on: [all], why: "ALTER TABLE … DROP PARTITION, which asks for this right" },
        { right: "SELECT", on: ["system.parts"], why: "which partitions there are, and how large" },
      ];
  }
}

function migrator(all: string): Right[] {
  const replace =
    "CREATE OR REPLACE VIEW, which makes the view under another name, renames it and drops the old one";
  return [
    { right: "CREATE DATABASE", on: [all], why: "CREATE DATABASE, if it is absent", isOnce: true },
    {
      right: "CREATE TABLE",
      on: [all],
      why: `CREATE TABLE, of ${RECORDS_TABLE} and ${LOCK_TABLES}… too; CREATE VIEW`,
    },
    { right: "DROP TABLE", on: [all], why: `DROP TABLE of locks that ran out; ${replace}` },
    {
      right: "ALTER TABLE",
      on: [all],
      why: "ALTER TABLE … MODIFY COMMENT, which renews the lock; files that change a table",
    },
    { right: "SELECT", on: [all], why: `what ${RECORDS_TABLE} says was applied; ${replace}` },
    { right: "INSERT", on: [all], why: `what was applied, into ${RECORDS_TABLE}; ${replace}` },
    ...engines(["MergeTree", "Null"]),
  ];
}

/** Of whoever runs what `migrate --print` says; the runner itself applies nothing on a cluster. */
function clusterMigrator(all: string): Right[] {
  return [
    { right: "CLUSTER", on: ["*.*"], why: "ON CLUSTER, of all statements" },
    { right: "CREATE DATABASE", on: [all], why: "CREATE DATABASE" },
    { right: "CREATE TABLE", on: [all], why: "CREATE TABLE; CREATE VIEW" },
    { right: "DROP TABLE", on: [all], why: "CREATE OR REPLACE of views and of Distributed tables" },
    { right: "ALTER TABLE", on: [all], why: "files that change a table" },
    { right: "SELECT", on: [all], why: "CREATE OR REPLACE, which renames" },
    { right: "INSERT", on: [all], why: "CREATE OR REPLACE, which renames" },
    ...engines(["ReplicatedMergeTree", "Distributed"]),
  ];
}

/** Servers may be set up so that engines need a grant of their own; `Distributed` needs it everywhere. */
function engines(names: readonly string[]): Right[] {
  return [{ right: "TABLE ENGINE", on: names, why: "CREATE TABLE … ENGINE = …" }];
}

function writer(tables: readonly string[], runs: string, isReplicated: boolean): Right[] {
  const sync: Right = {
    right: "SYSTEM SYNC REPLICA",
    on: tables,
    why: "SYSTEM SYNC REPLICA, before rows in doubt are counted on a replica",
  };
  return [
    { right: "INSERT", on: tables, why: "INSERT of rows" },
    { right: "INSERT", on: [runs], why: "INSERT that registers a start" },
    { right: "SELECT", on: [runs], why: "whether another recorder has the same name" },
    { right: "SELECT", on: tables, why: "which rows in doubt, and which lines of a file, are stored" },
    {
      right: "SELECT",
      on: ["system.processes"],
      why: "whether an INSERT of ours still runs; KILL QUERY of it (of one's own needs no other right)",
    },
    {
      right: "SELECT",
      on: ["system.merge_tree_settings"],
      why: "how long a table remembers what was sent, where it does not say so itself",
    },
    ...(isReplicated ? [sync] : []),
  ];
}

/** `GRANT … ON …` of one right in one place, to a role or user, on every node of a cluster. */
export function grantStatement(right: string, on: string, to: string, cluster: string | undefined): string {
  const onCluster = cluster === undefined ? "" : `ON CLUSTER ${quoteString(cluster)} `;
  return `GRANT ${onCluster}${right} ON ${on} TO ${plainName(to)}`;
}
