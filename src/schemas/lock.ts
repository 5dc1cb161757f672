import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { ColdpathError } from "../base/errors.js";
import { SECOND_MS } from "../base/units.js";
import type { ClickHouse } from "../clickhouse/client.js";
import { ClickHouseError } from "../clickhouse/error.js";
import { quoteString } from "../clickhouse/quote.js";

/*
 * A lock without a coordinator. It is a chain of tables `schema_migrations_lock_N`: the one with the highest number is
 * the lock, and its comment says who holds it and until when. It is taken by creating the next number, which exactly one
 * of any number of takers can, because CREATE TABLE is atomic. The highest is never dropped, so a taker that fell asleep
 * after looking, and then creates a number that was used and dropped meanwhile, finds that it is not the highest and
 * gives up. All times are by the server's clock.
 */

export interface LockOptions {
  /** How long the lock holds without being renewed: what a killed holder costs the next one. Default 30 s. */
  readonly leaseMs?: number;
  /** How long to wait for another holder. Default twice the lease. */
  readonly waitMs?: number;
}

/** What the names of lock tables begin with; a number follows. */
export const LOCK_TABLES = "schema_migrations_lock_";
const DEFAULT_LEASE_MS: number = 30 * SECOND_MS;
const POLL_MS = 100;
const TABLE_EXISTS = 57;
const TABLE_UNKNOWN = 60;

/** What stands in a lock table's comment. */
interface Holder {
  readonly host: string;
  readonly pid: number;
  /** Unix milliseconds of the server; 0 once released. */
  readonly expires: number;
}

interface Lock extends Holder {
  readonly number: number;
  /** The server's clock when it was read. */
  readonly now: number;
}

/**
 * Runs `work` while this process alone holds the database's migration lock. The lock is renewed as long as `work` runs;
 * before each step that must not run twice at once it awaits `stillHeld`.
 * @throws ColdpathError MIGRATION_LOCKED if another process holds the lock to the end of the wait, or took it over
 * because this one was suspended for longer than the lease.
 */
export async function withMigrationLock<T>(
  clickhouse: ClickHouse,
  options: LockOptions,
  work: (stillHeld: () => Promise<void>) => Promise<T>,
): Promise<T> {
  const leaseMs = options.leaseMs ?? DEFAULT_LEASE_MS;
  const lock = new HeldLock(
    clickhouse,
    leaseMs,
    await acquire(clickhouse, leaseMs, options.waitMs ?? 2 * leaseMs),
  );
  let renewal: Promise<unknown> = Promise.resolve();
  // A renewal that fails is tried again by the next one, and told by `stillHeld`.
  const renewals = setInterval(() => {
    renewal = lock.ensure(leaseMs).catch(() => undefined);
  }, leaseMs / 3);
  const release = async (): Promise<void> => {
    clearInterval(renewals);
    await renewal;
    await lock.release();
  };
  try {
    const result = await work(() => lock.ensure(leaseMs / 2));
    await release();
    return result;
  } catch (error) {
    // What went wrong first is what counts; a lock that cannot be released runs out.
    await release().catch(() => undefined);
    throw error;
  }
}

/** Number of the lock table that is ours from now on. */
async function acquire(clickhouse: ClickHouse, leaseMs: number, waitMs: number): Promise<number> {
  const waitUntil = performance.now() + waitMs;
  for (;;) {
    const locks = await readLocks(clickhouse);
    const top = locks.at(-1);
    if (top !== undefined && top.expires > top.now) {
      if (performance.now() >= waitUntil) throw heldBy(top);
      await sleep(POLL_MS);
      continue;
    }
    const number = (top?.number ?? 0) + 1;
    if (!(await tryCreate(clickhouse, number, (await serverTime(clickhouse)) + leaseMs))) continue;
    if ((await readLocks(clickhouse)).at(-1)?.number !== number) {
      await drop(clickhouse, number);
      continue;
    }
    for (const older of locks) await drop(clickhouse, older.number);
    return number;
  }
}

/** The lock as its holder has it. A lease that has run out is never renewed: somebody may be taking it at this moment. */
class HeldLock {
  readonly #clickhouse: ClickHouse;
  readonly #leaseMs: number;
  readonly #number: number;

  constructor(clickhouse: ClickHouse, leaseMs: number, number: number) {
    this.#clickhouse = clickhouse;
    this.#leaseMs = leaseMs;
    this.#number = number;
  }

  /** Renews the lease if less than `leastMs` of it is left. */
  async ensure(leastMs: number): Promise<void> {
    const top = (await readLocks(this.#clickhouse)).at(-1);
    if (top?.number !== this.#number) throw heldBy(top);
    if (top.expires <= top.now) {
      throw new ColdpathError(
        "MIGRATION_LOCKED",
        "this process was suspended for so long that its migration lock ran out: run it again",
      );
    }
    if (top.expires - top.now < leastMs) await this.#write(top.now + this.#leaseMs);
  }

  async release(): Promise<void> {
    await this.#write(0);
  }

  async #write(expires: number): Promise<void> {
    const comment = commentOf(expires);
    try {
      await this.#clickhouse.command(`ALTER TABLE ${LOCK_TABLES}${this.#number} MODIFY COMMENT ${comment}`);
    } catch (error) {
      // Whoever took over an expired lock has dropped its table.
      if (!isCode(error, TABLE_UNKNOWN)) throw error;
    }
  }
}

/** Unix milliseconds. */
async function serverTime(clickhouse: ClickHouse): Promise<number> {
  return Number(await clickhouse.text("SELECT toUnixTimestamp64Milli(now64(3)) FORMAT TSV"));
}

/** Lock tables from the lowest number to the highest. */
async function readLocks(clickhouse: ClickHouse): Promise<Lock[]> {
  const rows = await clickhouse.rows<LockRow>(
    `SELECT name, comment, toUnixTimestamp64Milli(now64(3)) AS now FROM system.tables
     WHERE database = currentDatabase() AND match(name, '^${LOCK_TABLES}[0-9]+$')`,
  );
  return rows.map(parseLock).sort((a, b) => a.number - b.number);
}

interface LockRow {
  readonly name: string;
  readonly comment: string;
  readonly now: string;
}

function parseLock({ name, comment, now }: LockRow): Lock {
  try {
    const { host, pid, expires } = JSON.parse(comment) as Holder;
    return { number: Number(name.slice(LOCK_TABLES.length)), host, pid, expires, now: Number(now) };
  } catch (cause) {
    const message = `table ${name} is not a lock of coldpath: find out whose it is and drop it`;
    throw new ColdpathError("MIGRATION_LOCKED", message, { cause });
  }
}

function commentOf(expires: number): string {
  const holder: Holder = { host: hostname(), pid: process.pid, expires };
  return quoteString(JSON.stringify(holder));
}

async function tryCreate(clickhouse: ClickHouse, number: number, expires: number): Promise<boolean> {
  try {
    const comment = commentOf(expires);
    await clickhouse.command(
      `CREATE TABLE ${LOCK_TABLES}${number} (nothing UInt8) ENGINE = Null COMMENT ${comment}`,
    );
    return true;
  } catch (error) {
    if (isCode(error, TABLE_EXISTS)) return false;
    throw error;
  }
}

async function drop(clickhouse: ClickHouse, number: number): Promise<void> {
  await clickhouse.command(`DROP TABLE IF EXISTS ${LOCK_TABLES}${number}`);
}

function isCode(error: unknown, code: number): boolean {
  return error instanceof ClickHouseError && error.clickhouseCode === code;
}

function heldBy(lock: Lock | undefined): ColdpathError {
  const who = lock === undefined ? "somebody" : `process ${lock.pid} on ${lock.host}`;
  const seconds = lock === undefined ? 0 : Math.max(0, Math.ceil((lock.expires - lock.now) / SECOND_MS));
  return new ColdpathError(
    "MIGRATION_LOCKED",
    `${who} is migrating this database and holds the lock, now for ${seconds} s; wait for it to end and try again`,
  );
}
