// Runs the test suite on the compiled output. Arguments: `--long` for the long suite, else parts of file names to run.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const args = process.argv.slice(2);
const long = args.includes("--long");
const parts = args.filter((arg) => !arg.startsWith("--"));

// The list comes from the sources, so a compiled test whose source is gone does not run.
const files = readdirSync(join(root, "test"), { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name.endsWith(long ? ".long.ts" : ".test.ts"))
  .map((entry) => relative(root, join(entry.parentPath ?? entry.path, entry.name)))
  .filter((file) => parts.length === 0 || parts.some((part) => file.includes(part)))
  .map((file) => join(root, "dist", file.replace(/\.ts$/, ".js")))
  .sort();
if (files.length === 0) {
  console.error("no such test");
  process.exit(1);
}
// For what hangs. A file of the long suite may kill the engine a hundred times; any takes ten times as long on a busy machine.
const timeoutMs = (long ? 20 : 5) * 60_000;
// One more than the cores of the smallest machine: files that wait leave theirs to others. The long ones hardly wait.
const concurrency = long ? 2 : 3;
// What many files need is made there once: test/support/migrated.ts.
const runFolder = mkdtempSync(join(tmpdir(), "coldpath-test-run-"));
const { status } = spawnSync(
  process.execPath,
  ["--test", `--test-concurrency=${concurrency}`, `--test-timeout=${timeoutMs}`, ...files],
  {
    cwd: root,
    stdio: "inherit",
    env: { ...process.env, COLDPATH_TEST_RUN: runFolder },
  },
);
rmSync(runFolder, { recursive: true, force: true });
process.exit(status ?? 1);
