import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { rulesFile, testsFile } from "../../scripts/alerts/rules.js";
import { temporaryFolder } from "../support/folder.js";

const skip =
  spawnSync("promtool", ["--version"]).status !== 0 && "promtool is not there (Debian package prometheus)";

function promtool(...args: string[]): { readonly ok: boolean; readonly text: string } {
  const { status, stdout, stderr } = spawnSync("promtool", args, { encoding: "utf8" });
  return { ok: status === 0, text: `${stdout}${stderr}` };
}

test("Prometheus takes the rules that are shipped", { skip }, () => {
  const { ok, text } = promtool("check", "rules", "deploy/prometheus/coldpath.rules.yml");
  assert.ok(ok, text);
});

test("each alert fires when it must and is silent before and after", { skip }, async (t) => {
  const folder = await temporaryFolder(t);
  const rules = rulesFile({ withTexts: false });
  writeFileSync(join(folder, "tests.yml"), testsFile("rules.yml"));
  const run = (text: string): ReturnType<typeof promtool> => {
    writeFileSync(join(folder, "rules.yml"), text);
    return promtool("test", "rules", join(folder, "tests.yml"));
  };
  const { ok, text } = run(rules);
  assert.ok(ok, text);
  // An alert that never fires, and one that always does.
  assert.equal(run(rules.replace('state="down"', 'state="gone"')).ok, false);
  assert.equal(
    run(rules.replace("recorder_conservation_violated == 1", "recorder_conservation_violated >= 0")).ok,
    false,
  );
});
