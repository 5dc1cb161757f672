import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { ClickHouse } from "../../src/clickhouse/client.js";
import { Recorder, type RecorderEvent, type RecorderOptions, type TableOptions } from "../../src/recorder.js";
import { type Context, checkSums, NOON, type Rig, startRig } from "../sink/rig.js";
import { temporaryFolder } from "../support/folder.js";

const DAY_MS = 86_400_000;

/** A table with a log, and recorders on it one after the other. */
export interface LogPlace {
  readonly name: string;
  readonly folder: string;
  readonly events: RecorderEvent[];
  /** Resolves with the first event of that kind, once it has been reported. */
  event(kind: RecorderEvent["kind"]): Promise<RecorderEvent>;
  /** Ids that were taken, with how many times. */
  readonly ledger: Map<number, number>;
  open(options?: Partial<RecorderOptions>, table?: Partial<TableOptions>): Promise<Recorder>;
  /** Offers a row for each id. */
  offer(recorder: Recorder, ids: Iterable<number>, row?: Readonly<Record<string, unknown>>): void;
  /** Compares ledger and table: each id as often as it was taken, each run's numbers without holes and none twice. */
  check(): Promise<void>;
  /** Ids in the table. */
  count(): Promise<number>;
}

interface LogRig extends Rig {
  place(options?: { readonly partitionBy?: string; readonly columns?: string }): Promise<LogPlace>;
}

/** A real engine behind a fault proxy, and tables whose rows go through a real log. */
export async function startLogRig(t: Context): Promise<LogRig> {
  const rig = await startRig(t);
  const { user, password } = rig.engine;
  return {
    ...rig,
    place: async (options = {}) => {
      const name = `t_${randomBytes(4).toString("hex")}`;
      await rig.direct.command(tableSql(name, options));
      const folder = await temporaryFolder(t as never);
      const connect = (): ClickHouse => {
        const clickhouse = new ClickHouse({ url: rig.proxy.url, user, password, database: "default" });
        t.after(() => clickhouse.close());
        return clickhouse;
      };
      return placeOf(t, { name, folder, direct: rig.direct, connect });
    },
  };
}

function tableSql(name: string, { partitionBy = "toDate(ts)", columns = "" }): string {
  return `CREATE TABLE ${name} (
    ts DateTime64(9, 'UTC'), id UInt64, px Decimal(18, 8) DEFAULT 0, kind LowCardinality(String) DEFAULT 'a',
    env LowCardinality(String), recorder LowCardinality(String), run UInt64, seq UInt64,
    source LowCardinality(String) DEFAULT '', source_seq Nullable(UInt64),
    ts_ingest DateTime64(9, 'UTC') DEFAULT now64(9, 'UTC') ${columns}
  ) ENGINE = MergeTree PARTITION BY ${partitionBy} ORDER BY (id, seq)
  SETTINGS non_replicated_deduplication_window = 10000`;
}

/** What a recorder on that folder and table is opened with. */
export function loggedOptions(
  clickhouse: ClickHouse,
  folder: string,
  name: string,
  table: Partial<TableOptions> = {},
): RecorderOptions {
  return {
    recorder: "rig",
    env: "test",
    clickhouse,
    compression: "none",
    tables: {
      [name]: {
        class: "critical",
        durability: "wal",
        flush: { rows: 1000, bytes: 2 ** 20, age: 20 },
        queue: { rows: 100_000 },
        ...table,
      },
    },
    memory: { max: 2 ** 24 },
    accept: { past: 100 * 365 * DAY_MS, future: DAY_MS },
    wal: {
      dir: join(folder, "wal"),
      commit: 2,
      segment: 2 ** 20,
      max: 2 ** 30,
      reserve: 0,
      emergencyDisk: 1,
    },
    deadLettersDir: join(folder, "dead-letters"),
  };
}

interface PlaceParts {
  readonly name: string;
  readonly folder: string;
  readonly direct: ClickHouse;
  readonly connect: () => ClickHouse;
}

function placeOf(t: Context, { name, folder, direct, connect }: PlaceParts): LogPlace {
  const events: RecorderEvent[] = [];
  const ledger = new Map<number, number>();
  let listeners: (() => void)[] = [];
  return {
    name,
    folder,
    events,
    ledger,
    event: (kind) =>
      new Promise((resolve) => {
        const look = (): void => {
          const found = events.find((event) => event.kind === kind);
          if (found === undefined) listeners.push(look);
          else resolve(found);
        };
        look();
      }),
    open: async (options = {}, table = {}) => {
      const recorder = await Recorder.open({
        ...loggedOptions(connect(), folder, name, table),
        ...options,
        report: (event) => {
          events.push(event);
          const told = listeners;
          listeners = [];
          for (const look of told) look();
        },
      });
      t.after(async () => {
        await recorder.close({ deadlineMs: 0 });
      });
      return recorder;
    },
    offer: (recorder, ids, row = {}) => {
      const writer = recorder.table(name);
      for (const id of ids) {
        assert.ok(writer.offer({ ts: NOON, id, ...row }) !== undefined, `row ${id} is taken`);
        ledger.set(id, (ledger.get(id) ?? 0) + 1);
      }
      checkSums(recorder.stats().tables[name]!);
    },
    check: async () => {
      const rows = await direct.rows<{ id: string; n: string }>(
        `SELECT id, count() AS n FROM ${name} GROUP BY id`,
      );
      const found = new Map(rows.map(({ id, n }) => [Number(id), Number(n)]));
      const ids = new Set([...ledger.keys(), ...found.keys()]);
      const wrong = [...ids].filter((id) => ledger.get(id) !== found.get(id));
      assert.deepEqual(
        wrong.slice(0, 10).map((id) => `${id}: taken ${ledger.get(id)}, stored ${found.get(id)}`),
        [],
      );
      const runs = await direct.rows(
        `SELECT run FROM ${name} GROUP BY run HAVING max(seq) != count() OR uniqExact(seq) != count()`,
      );
      assert.deepEqual(runs, []);
    },
    count: async () => {
      const [row] = await direct.rows<{ n: string }>(`SELECT count() AS n FROM ${name}`);
      return Number(row!.n);
    },
  };
}
