import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { hang, slow } from "../support/fault-proxy-faults.js";
import { until } from "../support/until.js";
import type { Desk } from "./desk.js";

/** What goes wrong, which alerts must come of it, and how an operator puts it right. */
export interface FaultDrill {
  readonly fault: string;
  readonly alerts: readonly `Coldpath${string}`[];
  readonly inject: (desk: Desk) => Promise<void>;
  readonly heal: (desk: Desk) => Promise<void>;
}

const ALL = { kind: "any", times: Number.POSITIVE_INFINITY } as const;

export const DRILLS: readonly FaultDrill[] = [
  {
    fault: "the service is killed",
    alerts: ["ColdpathDown"],
    inject: (desk) => desk.killService(),
    heal: (desk) => desk.startService(),
  },
  {
    fault: "ClickHouse's port is closed",
    alerts: [
      "ColdpathClickHouseUnreachable",
      "ColdpathNotLanding",
      "ColdpathHeartbeatLate",
      "ColdpathWalOldestPending",
    ],
    inject: ({ proxy }) => proxy.refuse(),
    heal: ({ proxy }) => proxy.accept(),
  },
  {
    fault: "ClickHouse's port is closed while much is sent",
    alerts: [
      "ColdpathWalGrowing",
      "ColdpathDiskFullSoon",
      "ColdpathWalTroubled",
      "ColdpathCriticalRefused",
      "ColdpathSpoolNearlyFull",
      "ColdpathRowsDropped",
      "ColdpathLevelHeld",
    ],
    inject: async (desk) => {
      desk.rate.orders = 200;
      desk.rate.market_data = 1500;
      await desk.proxy.refuse();
    },
    heal: async (desk) => {
      desk.rate.orders = 5;
      desk.rate.market_data = 20;
      await desk.proxy.accept();
    },
  },
  {
    fault: "each INSERT takes 6 s longer",
    alerts: ["ColdpathInsertSlow", "ColdpathFreshnessHigh"],
    inject: async ({ proxy }) => proxy.on({ kind: "insert", times: Number.POSITIVE_INFINITY }, slow(6000)),
    heal: async ({ proxy }) => proxy.clear(),
  },
  {
    fault: "ClickHouse hangs",
    alerts: ["ColdpathNotLanding"],
    inject: async ({ proxy }) => proxy.on(ALL, hang),
    heal: async ({ proxy }) => proxy.clear(),
  },
  {
    fault: "somebody renames a table",
    alerts: ["ColdpathInsertErrors", "ColdpathTablePaused"],
    inject: async ({ clickhouse }) => {
      await clickhouse.text("RENAME TABLE coldpath.orders TO coldpath.orders_away");
    },
    heal: async (desk) => {
      await desk.clickhouse.text("RENAME TABLE coldpath.orders_away TO coldpath.orders");
      await desk.run("replay");
    },
  },
  {
    fault: "a table got a column while ClickHouse was away from a start",
    alerts: ["ColdpathSchemaDrift"],
    inject: async (desk) => {
      await desk.stopService();
      await desk.clickhouse.text("ALTER TABLE coldpath.orders ADD COLUMN desk_note Nullable(String)");
      await desk.proxy.refuse();
      await desk.startService();
      await desk.proxy.accept();
    },
    heal: async (desk) => {
      await desk.stopService();
      await desk.clickhouse.text("ALTER TABLE coldpath.orders DROP COLUMN desk_note");
      await desk.startService();
    },
  },
  {
    fault: "a row that is wrong is sent",
    alerts: ["ColdpathDeadLetters"],
    inject: (desk) => desk.send("orders", [{ ...desk.order(), qty: "many" }]),
    heal: async (desk) => {
      await desk.run("dead-letter", "drop", "--all", "--force");
    },
  },
  {
    fault: "a byte of the log is flipped while rows wait in it",
    alerts: ["ColdpathWalQuarantined"],
    inject: async (desk) => {
      await fillLog(desk);
      await desk.killService();
      const [first] = segmentsOf(desk);
      const bytes = readFileSync(first!);
      bytes[Math.floor(bytes.length / 2)]! ^= 1;
      // Without its end it is read from the first byte to the last.
      writeFileSync(first!, bytes.subarray(0, bytes.length - 100));
      await desk.startService();
      await desk.proxy.accept();
    },
    heal: async (desk) => {
      await desk.stopService();
      renameSync(join(desk.walFolder, "quarantine"), join(desk.folder, "examined"));
      await desk.startService();
    },
  },
  {
    fault: "a segment of the log is removed while rows wait in it",
    alerts: ["ColdpathRowsMissing"],
    inject: async (desk) => {
      await fillLog(desk);
      rmSync(segmentsOf(desk)[1]!);
      await desk.proxy.accept();
    },
    heal: async (desk) => {
      await desk.stopService();
      await desk.startService();
    },
  },
  {
    fault: "a second recorder is started under the same name",
    alerts: ["ColdpathRecorderClash"],
    inject: async (desk) => {
      const other = desk.serve([
        ...desk.settings.filter((each) => !/^(data_dir|admin)/.test(each)),
        `data_dir=${join(desk.folder, "other")}`,
        "admin.listen=127.0.0.1:0",
      ]);
      others.set(desk, other);
      await other.printed(/http:\/\//);
    },
    heal: async (desk) => {
      await others.get(desk)!.stop();
    },
  },
];

const others = new Map<Desk, ReturnType<Desk["serve"]>>();

/** Several segments of rows that wait, more than memory holds. */
async function fillLog(desk: Desk): Promise<void> {
  const usual = desk.rate.orders;
  desk.rate.orders = 500;
  await desk.proxy.refuse();
  await until("four segments", () => segmentsOf(desk).length >= 4);
  desk.rate.orders = usual;
}

function segmentsOf({ walFolder }: Desk): string[] {
  return readdirSync(walFolder)
    .filter((name) => name.endsWith(".wal"))
    .sort()
    .map((name) => join(walFolder, name));
}
