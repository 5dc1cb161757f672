import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { messageOf } from "../src/base/errors.js";
import { ClickHouse } from "../src/clickhouse/client.js";
import { Engine } from "../src/engine/engine.js";
import { migrate } from "../src/schemas/migrate.js";
import { renderSchema } from "./schema/render.js";

/**
 * Writes what is generated from the schema: applies `schemas/` to an engine of its own and asks it what came out. With
 * `--check` nothing is written; stale files are named and the exit code is 1.
 */

/** The name is taken out of the dump again, so it must not appear anywhere in the SQL files. */
const DATABASE = "coldpath_generated_schema";

async function generate(): Promise<ReadonlyMap<string, string>> {
  const folder = mkdtempSync(join(tmpdir(), "coldpath-schema-"));
  try {
    const engine = await Engine.start({ dataDir: join(folder, "clickhouse") });
    const { url, user, password } = engine;
    const clickhouse = new ClickHouse({ url, user, password, database: DATABASE });
    try {
      await migrate(clickhouse);
      return await renderSchema(clickhouse);
    } finally {
      await clickhouse.close();
      await engine.close();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

try {
  const check = process.argv.includes("--check");
  for (const [path, text] of await generate()) {
    if (!check) writeFileSync(path, text);
    else if (textOf(path) !== text) {
      console.error(`${path} is stale: run npm run generate`);
      process.exitCode = 1;
    }
  }
} catch (error) {
  console.error(messageOf(error));
  process.exitCode = 1;
}
