import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { promisify } from "node:util";
import * as zlib from "node:zlib";
import { startTestEngine } from "../support/engine.js";

/** The Go client, and with it what the Grafana data source sends, against the engine: `test/clients/go`. */

const SOURCE = join(process.cwd(), "test", "clients", "go");
/** Fetching the modules for the first time may take a while. */
const FETCH_MS = 90_000;
const FACTS = 14;

const run = promisify(execFile);

/** Why the program cannot be built here; undefined when it can. */
function missing(): string | undefined {
  try {
    execFileSync("go", ["version"], { stdio: "ignore" });
  } catch {
    return "go is not installed";
  }
  try {
    execFileSync("go", ["mod", "download"], { cwd: SOURCE, timeout: FETCH_MS, stdio: "ignore" });
  } catch {
    return "the modules of the Go client cannot be fetched";
  }
  return undefined;
}

const skip = missing() ?? false;
const folder = await mkdtemp(join(tmpdir(), "coldpath-test-"));
after(() => rm(folder, { recursive: true, force: true }));
const program = join(folder, "clickhouse-go");
if (skip === false) await run("go", ["build", "-o", program, "."], { cwd: SOURCE });
const started = skip === false ? await startTestEngine({ after }) : undefined;

interface Run {
  readonly stdout: string;
  readonly failed: boolean;
}

async function goClient(compression: string): Promise<Run> {
  const { url, password } = started!.engine;
  try {
    const { stdout } = await run(program, [new URL(url).host, password, compression]);
    return { stdout, failed: false };
  } catch (error) {
    return { stdout: (error as { stdout: string }).stdout, failed: true };
  }
}

for (const compression of ["none", "lz4", "gzip", "deflate", "br"]) {
  test(`clickhouse-go with compression ${compression} works unchanged`, { skip }, async () => {
    const { stdout, failed } = await goClient(compression);
    assert.equal(failed, false, stdout);
    assert.equal(stdout.match(/^ok /gm)?.length, FACTS, stdout);
  });
}

test("clickhouse-go with compression zstd works where the runtime has it, and is refused plainly elsewhere", {
  skip,
}, async () => {
  const { stdout, failed } = await goClient("zstd");
  if ("createZstdCompress" in zlib) assert.equal(failed, false, stdout);
  else
    assert.match(
      stdout,
      /^ok exec makes a table$[\s\S]*code: 432, message: Codec of method 0x90 is not available/m,
    );
});
