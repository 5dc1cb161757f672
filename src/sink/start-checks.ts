import { ColdpathError } from "../base/errors.js";
import { SECOND_MS } from "../base/units.js";
import type { Identity } from "../buffer/stamp.js";
import type { ClickHouse, ServerLife, Settings } from "../clickhouse/client.js";
import { UnreachableError } from "../clickhouse/error.js";
import { readTable } from "../schemas/introspect.js";
import type { Table } from "../schemas/table.js";
import { readInsertSettings } from "./insert-settings.js";
import { requireOneStore } from "./one-store.js";
import { registerRun, type Start } from "./registration.js";
import { requireTokenMemory } from "./token-memory.js";

/** What a start knows of a ClickHouse that answers. */
export interface Met {
  readonly life: ServerLife;
  readonly settings: Settings;
  readonly tables: readonly Table[];
}

export interface StartChecks {
  readonly clickhouse: ClickHouse;
  readonly identity: Identity;
  readonly start: Start;
  /** Of the tables. */
  readonly names: readonly string[];
  /** Whether a ClickHouse that does not answer is no error. */
  readonly mayBeAway: boolean;
  /** Throws if the user may not do what the recorder needs. */
  readonly rights?: () => Promise<void>;
  /** Throws if the tables are not as they should be. */
  readonly schema?: () => Promise<void>;
}

/** An endpoint that says nothing for so long is taken to be away, where a recorder can start all the same. */
const AWAY_CONNECT_MS: number = 2 * SECOND_MS;

/**
 * Asks ClickHouse what a start needs to know, and whether it can take rows, and registers the start; `reason` says why it did not answer.
 * @throws ColdpathError
 */
export async function checkStart(
  checks: StartChecks,
): Promise<{ readonly met: Met | undefined; readonly reason: string }> {
  try {
    return { met: await meet(checks), reason: "" };
  } catch (error) {
    if (!checks.mayBeAway || !isAway(error)) throw error;
    return { met: undefined, reason: error.message };
  }
}

async function meet(checks: StartChecks): Promise<Met> {
  const { clickhouse, identity, start, names, mayBeAway, rights, schema } = checks;
  const life = await clickhouse.connect(mayBeAway ? AWAY_CONNECT_MS : undefined);
  await rights?.();
  await schema?.();
  const settings = await readInsertSettings(clickhouse);
  const tables: Table[] = [];
  for (const name of names) tables.push(await readTable(clickhouse, name));
  requireOneStore(clickhouse, tables);
  await requireTokenMemory(clickhouse, tables);
  await registerRun(clickhouse, settings, identity, start);
  return { life, settings, tables };
}

/**
 * Whether nobody answered, or only something in between that cannot reach ClickHouse now. A redirect, a refusal or a file of ours that
 * cannot be read would be the same tomorrow.
 */
function isAway(error: unknown): error is UnreachableError {
  if (!(error instanceof UnreachableError)) return false;
  const { status = 503, cause } = error;
  return status >= 500 && !(cause instanceof ColdpathError && !(cause instanceof UnreachableError));
}
