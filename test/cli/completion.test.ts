import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { before, test } from "node:test";
import { cli } from "../support/cli.js";
import { temporaryFolder } from "../support/folder.js";

const folder = await temporaryFolder({});
const script = join(folder, "coldpath.bash");
before(async () => {
  const { code, stdout, stderr } = await cli(["completion", "bash"], folder);
  assert.deepEqual([code, stderr], [0, ""]);
  await writeFile(script, stdout);
  await writeFile(join(folder, "quotes.csv"), "");
});

/** What bash offers behind these words; the last one is completed. */
function offered(...words: string[]): string[] {
  const { stdout, stderr, status } = spawnSync(
    "bash",
    [
      "--norc",
      "-c",
      `source "$0"; COMP_WORDS=(coldpath "$@"); COMP_CWORD=$#; _coldpath; printf "%s\\n" "\${COMPREPLY[@]}"`,
      script,
      ...words,
    ],
    { cwd: folder, encoding: "utf8" },
  );
  assert.deepEqual([status, stderr], [0, ""]);
  return stdout.split("\n").filter((line) => line !== "");
}

test("bash completes commands, their options, tables, values and keys of the configuration", () => {
  assert.deepEqual(offered("fl"), ["flush"]);
  assert.deepEqual(offered("wal", "in"), ["inspect"]);
  assert.deepEqual(offered("wal", "inspect", "--ro"), ["--rows"]);
  assert.deepEqual(offered("wal", "inspect", "--js"), ["--json"], "options of all commands");
  assert.deepEqual(offered("wal", "inspect", "--table", "or"), ["orders"]);
  assert.deepEqual(offered("flush", "mark"), ["market_data"]);
  assert.deepEqual(offered("ingest", "--format", ""), ["csv", "ndjson"]);
  assert.deepEqual(offered("ingest", "--format", "=", "c"), ["csv"], "bash splits at =");
  assert.deepEqual(offered("--set", "wal.comm"), ["wal.commit="]);
  assert.deepEqual(offered("completion", ""), ["bash", "zsh", "fish"]);
  assert.ok(offered("").includes("serve") && offered("").includes("help"));
});

test("bash looks past values of options, and offers files only where files are meant", () => {
  assert.deepEqual(offered("--config", "wal", "wal", "pu"), ["purge"], "a value is no command");
  assert.deepEqual(offered("flush", "--wait", "3s", "fi"), ["fills"], "flush --wait takes a value");
  assert.deepEqual(offered("replay", "--wait", "--wi"), ["--without"], "replay --wait takes none");
  assert.deepEqual(offered("ingest", "quo"), ["quotes.csv"]);
  assert.deepEqual(offered("--config", "quo"), ["quotes.csv"]);
  assert.deepEqual(offered("flush", "quo"), []);
  assert.deepEqual(offered("--set", "log.level", "=", "quo"), []);
});

test("completion names the shells it knows", async () => {
  const { code, stderr } = await cli(["completion", "tcsh"], folder);
  assert.equal(code, 2);
  assert.match(stderr, /'tcsh' is invalid.*Allowed choices are bash, zsh, fish/);
});
