import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { join } from "node:path";
import { after, test } from "node:test";
import { promisify } from "node:util";
import * as zlib from "node:zlib";
import { startTestEngine } from "../support/engine.js";
import { temporaryFolder } from "../support/folder.js";

/** The tests themselves are Python, with unittest and the official client from PyPI. */
const FOLDER = join("test", "clients", "connect");
const INSTALL_MS = 300_000;
const RUN_MS = 60_000;

/** A Python that has the client, in a folder of its own; or why there is none. */
function install(folder: string): { readonly python: string; readonly skip: string | false } {
  const python = join(folder, "bin", "python");
  const steps: readonly (readonly string[])[] = [
    ["python3", "-m", "venv", folder],
    [python, "-m", "pip", "install", "--quiet", "--requirement", join(FOLDER, "requirements.txt")],
  ];
  for (const [program, ...args] of steps) {
    const { status, error, stderr } = spawnSync(program!, args, { encoding: "utf8", timeout: INSTALL_MS });
    if (status !== 0) {
      const reason = error?.message ?? stderr.trim().split("\n").at(-1);
      return { python, skip: `clickhouse-connect cannot be installed: ${reason}` };
    }
  }
  return { python, skip: false };
}

const { python, skip } = install(await temporaryFolder({ after }));

for (const [file, fact] of [
  ["test_queries.py", "clickhouse-connect reads every type, as rows, frames, arrays and streams"],
  ["test_inserts.py", "clickhouse-connect inserts rows, columns, frames and raw data in each compression"],
  ["test_connections.py", "clickhouse-connect keeps sessions, compresses, and sends parameters in bodies"],
] as const) {
  test(fact, { skip }, async (t) => {
    const { engine } = await startTestEngine(t);
    const { hostname, port } = new URL(engine.url);
    const env = {
      ...process.env,
      PYTHONDONTWRITEBYTECODE: "1",
      COLDPATH_ENGINE_HOST: hostname,
      COLDPATH_ENGINE_PORT: port,
      COLDPATH_ENGINE_PASSWORD: engine.password,
      COLDPATH_ENGINE_HAS_ZSTD: "createZstdDecompress" in zlib ? "1" : "0",
    };
    // Not in step with this process, which looks after the engine.
    const { stderr, failed } = await promisify(execFile)(python, ["-m", "unittest", "-v", file], {
      cwd: FOLDER,
      env,
      timeout: RUN_MS,
    }).then(
      (output) => ({ ...output, failed: false }),
      (error: { stderr: string }) => ({ stderr: error.stderr, failed: true }),
    );
    assert.equal(failed, false, stderr);
    t.diagnostic(stderr.trim().split("\n").at(-3) ?? "");
  });
}
