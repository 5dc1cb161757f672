import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmod, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "../support/folder.js";
import { DOCKER, SYSTEMD } from "./deploy-files.js";

/** Of 10; what is left open is V8's compiler, the network and the disk of its own. */
const EXPOSURE_MAX = "20";

function isThere(program: string): boolean {
  return spawnSync(program, ["--version"]).status === 0;
}

test("systemd takes the unit as it is, and finds little that it leaves open", {
  skip: !isThere("systemd-analyze") && "systemd-analyze is not there",
}, async (t) => {
  const folder = await temporaryFolder(t);
  // The program that it names is not installed here.
  const program = join(folder, "coldpath");
  await writeFile(program, "#!/bin/sh\n");
  await chmod(program, 0o755);
  const unit = await readFile(join(SYSTEMD, "coldpath.service"), "utf8");
  const file = join(folder, "coldpath.service");
  await writeFile(file, unit.replaceAll("/usr/local/bin/coldpath", program));
  const verified = spawnSync("systemd-analyze", ["verify", "--man=no", file], { encoding: "utf8" });
  const own = verified.stderr.split("\n").filter((line) => line.includes("coldpath"));
  assert.deepEqual([verified.status, own], [0, []], verified.stderr);
  const args = ["security", "--offline=true", `--threshold=${EXPOSURE_MAX}`, "--no-pager", file];
  const judged = spawnSync("systemd-analyze", args, { encoding: "utf8" });
  assert.equal(judged.status, 0, `${judged.stdout}${judged.stderr}`);
});

test("hadolint finds nothing in the Dockerfile", {
  skip: !isThere("hadolint") && "hadolint is not there",
}, () => {
  const { status, stdout } = spawnSync("hadolint", [join(DOCKER, "Dockerfile")], { encoding: "utf8" });
  assert.equal(status, 0, stdout);
});
