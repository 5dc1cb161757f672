import { ColdpathError, messageOf } from "../../base/errors.js";
import { quoteString } from "../../clickhouse/quote.js";
import type { Migration } from "../files.js";
import type { Statement } from "../split.js";
import { ClusterNames, type ClusterTarget } from "./names.js";
import { renderStatement } from "./statement.js";

/** Settings of the session that the statements want: an ALTER has ended when every replica has it. */
const SESSION = "SET alter_sync = 2, mutations_sync = 2";

/**
 * The migrations as a cluster needs them: everything ON CLUSTER, tables replicated, and for each table a Distributed one
 * to read from. Why it is rendered so: `docs/internals/decisions/0002-cluster.md`.
 * @throws ColdpathError MIGRATION_FAILED for a statement that cannot be rendered, with file, line and reason.
 */
export function renderForCluster(migrations: readonly Migration[], target: ClusterTarget): Migration[] {
  const names = new ClusterNames(target);
  const rendered = migrations.map((migration) => ({
    ...migration,
    statements: migration.statements.flatMap((statement) => renderOne(migration, statement, names)),
  }));
  return [preamble(names), ...rendered];
}

function renderOne({ name }: Migration, { text, line }: Statement, names: ClusterNames): Statement[] {
  try {
    return renderStatement(text, names).map((each) => ({ text: each, line }));
  } catch (cause) {
    throw new ColdpathError(
      "MIGRATION_FAILED",
      `${name}, line ${line}: not for a cluster: ${messageOf(cause)}`,
      {
        cause,
      },
    );
  }
}

function preamble(names: ClusterNames): Migration {
  const texts = [SESSION, `CREATE DATABASE IF NOT EXISTS ${names.database} ${names.onCluster}`];
  return {
    origin: "coldpath",
    name: `for cluster ${quoteString(names.target.cluster)}: run as one session, each time from the top; nothing is made twice`,
    checksum: "",
    breaking: false,
    statements: texts.map((text) => ({ text, line: 1 })),
  };
}
