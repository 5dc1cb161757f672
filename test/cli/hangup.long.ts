import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { startOfProcess } from "../../src/base/process.js";
import { CliProcess, cli, PROGRAM } from "../support/cli.js";
import { temporaryFolder } from "../support/folder.js";
import { layMigrated } from "../support/migrated.js";
import { until } from "../support/until.js";

const QUOTE = JSON.stringify({
  ...{ ts_exchange: "2026-11-23T00:00:00Z", ts_local: "2026-11-23T00:00:00Z", symbol: "X", venue: "v" },
  ...{ kind: "quote", bid_px1: "1", bid_sz1: "1", ask_px1: "2", ask_sz1: "1" },
});

/** A folder for a service that holds quotes in memory alone, for a minute. */
async function folderOf(t: { after(fn: () => Promise<void>): void }): Promise<string> {
  const folder = await temporaryFolder(t);
  await layMigrated(join(folder, "data", "clickhouse"));
  const table = "tables: { market_data: { durability: memory, flush: { age: 1m } } }";
  await writeFile(join(folder, "coldpath.yaml"), `${table}\nadmin: { listen: "127.0.0.1:0" }\n`);
  return folder;
}

/** Has the running service of a folder take a quote, waits until it has, and gives its process. */
async function giveQuote(folder: string): Promise<{ pid: number }> {
  const file = join(folder, "data", "service.json");
  await until("the service", () => existsSync(file));
  const { url, tokenFile, pid } = JSON.parse(await readFile(file, "utf8")) as {
    readonly [key in "url" | "tokenFile"]: string;
  } & { readonly pid: number };
  const authorization = `Bearer ${(await readFile(tokenFile, "utf8")).trim()}`;
  const headers = { authorization, "content-type": "application/x-ndjson" };
  // Answered once it is stored: at the end.
  void fetch(`${url}/v1/ingest/market_data`, { method: "POST", headers, body: QUOTE }).catch(() => {});
  await until("the quote", async () => {
    const { tables } = (await (await fetch(`${url}/api/status`)).json()) as {
      tables: Record<string, { pending: { rows: number } }>;
    };
    return tables["market_data"]!.pending.rows === 1;
  });
  return { pid };
}

test("a terminal that is closed ends the service as Ctrl-C does: what was in memory is stored", {
  skip: spawnSync("script", ["--version"]).status !== 0 && "script(1), which makes terminals, is not there",
}, async (t) => {
  const folder = await folderOf(t);
  const command = `"${process.execPath}" "${PROGRAM}" serve`;
  const terminal = spawn("script", ["-qec", command, "/dev/null"], {
    cwd: folder,
    stdio: ["pipe", "ignore", "ignore"],
  });
  const { pid } = await giveQuote(folder);
  terminal.kill("SIGKILL");
  await once(terminal, "exit");
  await until("the end of the service", () => startOfProcess(pid) === undefined);
  const sql = "SELECT count() FROM market_data";
  const { stdout, stderr } = await cli(["query", sql, "--format", "TabSeparated"], folder);
  assert.equal(stdout, "1\n", stderr);
});

test("a service whose log nobody reads any more goes on", async (t) => {
  const folder = await folderOf(t);
  const serve = new CliProcess(["serve"], folder);
  await serve.printed(/status +(\S+)/);
  serve.child.stderr!.destroy();
  // Is told in the log.
  const { code, stderr } = await cli(["reload"], folder);
  assert.equal(code, 0, stderr);
  assert.equal((await serve.stop()).code, 0);
});
