import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { ClickHouse } from "../../src/clickhouse/client.js";
import type { Engine } from "../../src/engine/engine.js";
import {
  Recorder,
  type RecorderEvent,
  type RecorderOptions,
  type TableOptions,
  type TableStats,
} from "../../src/recorder.js";
import { HastyClock } from "../support/clock.js";
import { startTestEngine } from "../support/engine.js";
import { type Answer, FaultProxy, type Seen } from "../support/fault-proxy.js";
import { temporaryFolder } from "../support/folder.js";

/** What a rig needs of its test; `{ after }` of `node:test` serves a whole file. */
export interface Context {
  after(fn: () => Promise<void> | void): void;
}

/** A real engine behind a fault proxy. */
export interface Rig {
  readonly engine: Engine;
  readonly proxy: FaultProxy;
  /** All ways to the engine in order of preference, `proxy` first. */
  readonly proxies: readonly FaultProxy[];
  /** Past the proxy: the oracle's way. */
  readonly direct: ClickHouse;
  /** Makes a table of its own for the test and opens a recorder on it, through the proxy. */
  open(options?: Partial<RecorderOptions> & RigOptions): Promise<Recording>;
}

interface RigOptions {
  readonly table?: Partial<TableOptions>;
  /** Tables like it, made with it and written by the same recorder: `NAME_1`, `NAME_2` … */
  readonly more?: number;
  /** `PARTITION BY` of the table. Default toDate(ts). */
  readonly partitionBy?: string;
  /** More SQL between the columns and the end of the column list. */
  readonly columns?: string;
}

/** One recorder with one table, and what it should have stored. */
export interface Recording {
  readonly recorder: Recorder;
  readonly name: string;
  readonly folder: string;
  readonly events: RecorderEvent[];
  /** Offers a row with each id; the ledger expects it to be stored once. */
  offer(ids: Iterable<number>, row?: Readonly<Record<string, unknown>>): void;
  /** Payload ids that must be stored, with how many times. */
  readonly ledger: Map<number, number>;
  /** Resolves with the first event of that kind, once it has been reported. */
  event<K extends RecorderEvent["kind"]>(kind: K): Promise<RecorderEvent & { kind: K }>;
  /** Compares the ledger with what plain SQL finds, and the recorder's sums with each other. */
  check(): Promise<void>;
  /** What differs between ledger and table: `id: expected, found`. */
  differences(): Promise<string[]>;
  stats(): TableStats;
}

/** Noon, so that a few thousand rows a millisecond apart stay within a day. */
export const NOON: bigint = BigInt(Date.UTC(2024, 7, 8, 12)) * 1_000_000n;
const DAY_MS = 86_400_000;

/**
 * With several `replicas` there are as many fault proxies before the one engine, which tell of its tables that they are replicated: the
 * engine stands for what the replicas share, rows and tokens.
 */
export async function startRig(t: Context, { replicas = 1 } = {}): Promise<Rig> {
  const { engine, clickhouse: direct } = await startTestEngine(t);
  await direct.command(await readFile("schemas/0009_recorder_runs.sql", "utf8"));
  const start = (): Promise<FaultProxy> =>
    FaultProxy.start(t as { after(fn: () => Promise<void>): void }, engine.url);
  const proxy = await start();
  const proxies = [proxy];
  while (proxies.length < replicas) proxies.push(await start());
  if (replicas > 1) for (const each of proxies) each.retell = asReplica;
  const { user, password } = engine;
  return {
    engine,
    proxy,
    proxies,
    direct,
    open: async (options = {}) => {
      const name = `t_${randomBytes(4).toString("hex")}`;
      for (const each of namesOf(name, options)) await createTable(direct, each, options);
      // One for each recorder, which may move to another endpoint.
      const url = proxies.map((each) => each.url);
      const clickhouse = new ClickHouse({ url, user, password, database: "default" });
      t.after(() => clickhouse.close());
      return await record(t, clickhouse, direct, name, options);
    },
  };
}

/** What a replica says where the engine, which has no Keeper, says something else. */
export function asReplica(answer: Answer, { sql }: Seen): Answer {
  const headers = { ...answer.headers, "x-clickhouse-server-display-name": "replica" };
  if (sql.startsWith("SYSTEM SYNC REPLICA"))
    return {
      status: 200,
      headers: { "x-clickhouse-server-display-name": "replica" },
      body: Buffer.alloc(0),
    };
  if (!sql.includes("FROM system.tables")) return { ...answer, headers };
  const told = answer.body.toString().replaceAll('"engine":"MergeTree"', '"engine":"ReplicatedMergeTree"');
  return { ...answer, headers, body: Buffer.from(told) };
}

/** The table of a recording, and those made with it. */
function namesOf(name: string, { more = 0 }: RigOptions): string[] {
  return [name, ...upTo(more).map((i) => `${name}_${i + 1}`)];
}

/** A table as all tests of the sink use it. */
export async function createTable(direct: ClickHouse, name: string, options: RigOptions): Promise<void> {
  await direct.command(`CREATE TABLE ${name} (
    ts DateTime64(9, 'UTC'), id UInt64, px Decimal(18, 8) DEFAULT 0, kind LowCardinality(String) DEFAULT 'a',
    env LowCardinality(String), recorder LowCardinality(String), run UInt64, seq UInt64,
    source LowCardinality(String) DEFAULT '', source_seq Nullable(UInt64),
    ts_ingest DateTime64(9, 'UTC') DEFAULT now64(9, 'UTC')
    ${options.columns ?? ""}
  ) ENGINE = MergeTree PARTITION BY ${options.partitionBy ?? "toDate(ts)"} ORDER BY (id, seq)
  SETTINGS non_replicated_deduplication_window = 10000`);
}

async function record(
  t: Context,
  clickhouse: ClickHouse,
  direct: ClickHouse,
  name: string,
  options: Partial<RecorderOptions> & RigOptions,
): Promise<Recording> {
  const folder = join(await temporaryFolder(t as never), "dead-letters");
  const events: RecorderEvent[] = [];
  const listeners: (() => void)[] = [];
  const recorder = await Recorder.open({
    recorder: "rig",
    env: "test",
    clickhouse,
    compression: "auto",
    tables: Object.fromEntries(
      namesOf(name, options).map((each) => [
        each,
        {
          class: "critical",
          flush: { rows: 100, bytes: 2 ** 20, age: 60_000 },
          queue: { rows: 100_000 },
          ...options.table,
        },
      ]),
    ),
    memory: { max: 2 ** 26 },
    accept: { past: 100 * 365 * DAY_MS, future: DAY_MS },
    deadLettersDir: folder,
    clock: new HastyClock(),
    ...options,
    report(event) {
      events.push(event);
      options.report?.(event);
      for (const look of listeners.splice(0)) look();
    },
  });
  t.after(async () => {
    await recorder.close({ deadlineMs: 0 });
  });
  const writer = recorder.table(name);
  const ledger = new Map<number, number>();
  const recording: Recording = {
    recorder,
    name,
    folder,
    events,
    ledger,
    offer(ids, row = {}) {
      for (const id of ids) {
        const ticket = writer.offer({ ts: NOON, id, ...row });
        assert.ok(ticket !== undefined, `row ${id} is taken`);
        ledger.set(id, (ledger.get(id) ?? 0) + 1);
      }
    },
    event(kind) {
      type Wanted = RecorderEvent & { kind: typeof kind };
      return new Promise((resolve) => {
        const look = (): void => {
          const found = events.find((event): event is Wanted => event.kind === kind);
          if (found === undefined) listeners.push(look);
          else resolve(found);
        };
        look();
      });
    },
    async check() {
      assert.deepEqual(await recording.differences(), []);
      checkSums(recording.stats());
    },
    differences: () => differences(direct, name, ledger),
    stats: () => recorder.stats().tables[name]!,
  };
  return recording;
}

/** The oracle: what each id's count is by plain SQL, against the ledger that the test kept. */
async function differences(
  direct: ClickHouse,
  name: string,
  ledger: ReadonlyMap<number, number>,
): Promise<string[]> {
  const rows = await direct.rows<{ id: string; n: string }>(
    `SELECT id, count() AS n FROM ${name} GROUP BY id`,
  );
  const found = new Map(rows.map(({ id, n }) => [Number(id), Number(n)]));
  const ids = new Set([...ledger.keys(), ...found.keys()]);
  return [...ids]
    .filter((id) => (ledger.get(id) ?? 0) !== (found.get(id) ?? 0))
    .map((id) => `${id}: ${ledger.get(id) ?? 0}, ${found.get(id) ?? 0}`);
}

/** offered = refused + accepted, and accepted = all that can become of a row. */
export function checkSums(stats: TableStats): void {
  const sum = (counts: Readonly<Record<string, number>>): number =>
    Object.values(counts).reduce((total, count) => total + count, 0);
  assert.equal(stats.offered, sum(stats.refused) + stats.accepted);
  const fates = stats.stored + stats.deduplicated + stats.sampled + sum(stats.dropped) + stats.deadLettered;
  assert.equal(stats.accepted, fates + stats.pending.rows);
}

/** 0 to n − 1. */
export function upTo(n: number): number[] {
  return [...Array(n).keys()];
}
