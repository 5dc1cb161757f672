import { after, test } from "node:test";
import { temporaryFolder } from "../support/folder.js";
import { startMigratedEngine } from "../support/migrated.js";
import { recordWhileDying } from "./mortal.js";

const DEATHS = 25;

test("many pipeline threads that die at random moments: each order is stored once, no quote twice, nothing is called lost", async (t) => {
  const { engine, clickhouse } = await startMigratedEngine({ after });
  process.env["COLDPATH_CLICKHOUSE_PASSWORD"] = engine.password;
  const place = { data_dir: await temporaryFolder(t), clickhouse: { url: engine.url, database: "coldpath" } };
  await recordWhileDying(t, { clickhouse, place, deaths: DEATHS });
});
