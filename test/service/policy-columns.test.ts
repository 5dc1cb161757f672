import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { loadConfig } from "../../src/config/load.js";
import { assumedColumns } from "../../src/service/assumed-columns.js";
import { requirePolicyColumns } from "../../src/service/policy-columns.js";
import { temporaryFolder } from "../support/folder.js";

const SIGNALS =
  "CREATE TABLE signals (ts DateTime64(9), desk String, value Float64) ENGINE = MergeTree ORDER BY ts;";
const ALTER = "ALTER TABLE orders ADD COLUMN desk String DEFAULT '';";

/** What `config check` tells of policies, with these SQL files of the user's. */
async function told(t: TestContext, yaml: string, files: readonly string[] = []): Promise<string> {
  const cwd = await temporaryFolder(t);
  await mkdir(join(cwd, "own"));
  for (const [index, sql] of files.entries()) await writeFile(join(cwd, "own", `000${index}_own.sql`), sql);
  await writeFile(join(cwd, "coldpath.yaml"), `schemas: [./own]\ntables: ${yaml}\n`);
  const { config } = loadConfig({ env: {}, cwd });
  try {
    requirePolicyColumns(config.tables, assumedColumns(config));
    return "";
  } catch (error) {
    return (error as Error).message;
  }
}

test("a policy that goes by columns which its table does not have is told with each of them", async (t) => {
  const yaml = "{ orders: { policy: { dedup: bbo, by: [symbl, side], news: [qty, nonsense], time: tss } } }";
  assert.deepEqual((await told(t, yaml)).split("\n"), [
    "the configuration has 3 mistake(s):",
    "  tables.orders.policy.by.0: orders has no column symbl; did you mean symbol?",
    "  tables.orders.policy.news.1: orders has no column nonsense",
    "  tables.orders.policy.time: orders has no column tss; did you mean ts?",
  ]);
});

test("columns of the user's own SQL files are known, and tables that stand nowhere are not judged", async (t) => {
  const policy = "policy: { dedup: bbo, by: [desk], news: [value] }";
  assert.equal(await told(t, `{ signals: { ${policy} } }`, [SIGNALS]), "");
  assert.equal(await told(t, `{ signals: { ${policy} } }`), "");
  assert.match(
    await told(t, `{ signals: { ${policy.replace("desk", "dsk")} } }`, [SIGNALS]),
    /signals has no column dsk; did you mean desk\?/,
  );
  const orders = "{ orders: { policy: { dedup: bbo, by: [desk], news: [qty] } } }";
  assert.equal(await told(t, orders, [ALTER]), "");
  assert.match(await told(t, orders), /orders has no column desk/);
});
