import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { appendFileSync, cpSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { readTable } from "../../src/schemas/introspect.js";
import { migrate } from "../../src/schemas/migrate.js";
import { EXPECTED_TABLES, type TableRows } from "../../src/schemas/tables.generated.js";
import { startTestEngine } from "../support/engine.js";
import { temporaryFolder } from "../support/folder.js";
import { newDatabase, repositoryFile } from "./database.js";

const SCRIPT = fileURLToPath(new URL("../../scripts/generate-schema.js", import.meta.url));
const GENERATED = [
  "src/schemas/tables.generated.ts",
  "docs/reference/schema.sql",
  "docs/reference/tables.md",
];

test("the check names each stale or missing generated file, no other, and fails", async (t) => {
  const folder = await temporaryFolder(t);
  for (const path of GENERATED) cpSync(path, join(folder, path));
  appendFileSync(join(folder, GENERATED[0]!), "\n");
  rmSync(join(folder, GENERATED[2]!));
  const { status, stderr } = spawnSync(process.execPath, [SCRIPT, "--check"], {
    cwd: folder,
    encoding: "utf8",
  });
  assert.equal(
    stderr,
    [0, 2].map((index) => `${GENERATED[index]} is stale: run npm run generate\n`).join(""),
  );
  assert.equal(status, 1);
});

test("the table of one's own on the reference page works as it stands there", async (t) => {
  const clickhouse = newDatabase(t, await startTestEngine({ after }));
  const userDir = await temporaryFolder(t);
  const sql = /^## A table of your own.*?```sql\n(.*?)```/ms.exec(
    repositoryFile("docs/reference/tables.md"),
  )![1]!;
  writeFileSync(join(userDir, "0001_signals.sql"), sql);
  await migrate(clickhouse, { userDirs: [userDir] });
  const table = await readTable(clickhouse, "signals");
  assert.deepEqual(table.partitionKey, { kind: "month", column: "ts" });
});

const TIME = 1_772_445_600_000_000_000n;

/** The least that the compiler takes for a row of each table, with each kind of value once. */
const LEAST: TableRows = {
  market_data: { ts_exchange: TIME, ts_local: new Date(), symbol: "S", kind: "trade" },
  orders: {
    ts: "2026-03-02T10:00:00.000000001Z",
    client_order_id: "c",
    strategy: "s",
    symbol: "S",
    side: "sell_short",
    qty: "1.5",
    status: "new",
  },
  fills: { ts_exchange: TIME, fill_id: "f", symbol: "S", side: "buy", fill_qty: 1, fill_px: 100n },
  positions_intraday: { ts: TIME, account_id: "a", symbol: "S", position_qty: -1 },
  account_state: { ts: TIME, account_id: "a" },
  risk_decisions: { ts: TIME, strategy: "s", decision: "accept" },
  guardrail_transitions: { ts: TIME, prev_mode: "normal", next_mode: "halt" },
  system_events: { ts: TIME, kind: "link" },
  recorder_runs: { started: TIME, host: "h", pid: 1, version: "1", config_hash: "0" },
};

test("a row type asks for exactly the required columns that the recorder does not fill in itself", () => {
  const recorders = new Set(["env", "recorder", "run", "seq"]);
  for (const { name, columns } of EXPECTED_TABLES) {
    const required = columns.filter((column) => column.required && !recorders.has(column.name));
    assert.deepEqual(
      Object.keys(LEAST[name as keyof TableRows]).sort(),
      required.map((column) => column.name).sort(),
      name,
    );
  }
});

/** Each line that the compiler must refuse; it fails the build if it does not. */
export const REFUSED: readonly unknown[] = [
  // @ts-expect-error a required column is missing
  { ts: TIME } satisfies TableRows["account_state"],
  // @ts-expect-error a value outside of the set
  { ...LEAST.fills, side: "short" } satisfies TableRows["fills"],
  // @ts-expect-error a bare number is no time: it has no unit
  { ...LEAST.system_events, ts: 1_772_445_600_000 } satisfies TableRows["system_events"],
  // @ts-expect-error NULL where the column has none
  { ...LEAST.orders, symbol: null } satisfies TableRows["orders"],
  // @ts-expect-error a column that the recorder fills in
  { ...LEAST.orders, seq: 1n } satisfies TableRows["orders"],
  // @ts-expect-error a column that does not exist
  { ...LEAST.market_data, bid_price: 1 } satisfies TableRows["market_data"],
];
