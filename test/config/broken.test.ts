import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { cp } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { ConfigError } from "../../src/config/issues.js";
import { loadConfig } from "../../src/config/load.js";
import { temporaryFolder } from "../support/folder.js";

/**
 * Configurations with mistakes, one a name: `NAME.yaml`, what stands in the environment (`NAME.env`) and what `--set` gives (`NAME.flags`);
 * and all that is told of them, line by line, in `NAME.txt`.
 */
const FOLDER = join("test", "config", "broken");
/** Stand where a secret would, in file, environment and flags. */
const SECRETS = /hunter2|SECRET/;

const files = new Set(readdirSync(FOLDER));
const names = [...new Set([...files].map((file) => file.replace(/\.\w+$/, "")))].sort();

function linesOf(file: string): string[] {
  if (!files.has(file)) return [];
  return readFileSync(join(FOLDER, file), "utf8")
    .split("\n")
    .filter((line) => line !== "");
}

test("there are broken configurations of all kinds, each with what is told of it", () => {
  assert.ok(names.length >= 90, `${names.length} found`);
  for (const name of names) assert.ok(files.has(`${name}.txt`), `${name}.txt is missing`);
});

for (const name of names) {
  test(`broken configuration ${name} is refused with all of its mistakes`, async (t) => {
    const cwd = await temporaryFolder(t);
    if (files.has(`${name}.yaml`)) await cp(join(FOLDER, `${name}.yaml`), join(cwd, "coldpath.yaml"));
    const env = Object.fromEntries(linesOf(`${name}.env`).map((line) => line.split(/=(.*)/s, 2)));
    const load = (): unknown => loadConfig({ env, set: linesOf(`${name}.flags`), cwd });
    assert.throws(load, (error) => {
      assert.ok(error instanceof ConfigError, String(error));
      const told = error.message.replaceAll(cwd, "FOLDER").split("\n");
      assert.deepEqual(told, [
        `the configuration has ${error.issues.length} mistake(s):`,
        ...linesOf(`${name}.txt`),
      ]);
      assert.doesNotMatch(error.message, SECRETS);
      return true;
    });
    assert.deepEqual(
      readdirSync(cwd).filter((file) => file !== "coldpath.yaml"),
      [],
      "nothing is touched",
    );
  });
}
