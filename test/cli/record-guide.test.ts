import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { copyFile, mkdir, readFile, symlink } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { cli } from "../support/cli.js";
import { temporaryFolder } from "../support/folder.js";
import { layMigrated } from "../support/migrated.js";
import { tourOf, wordsOf } from "../support/tour.js";

const ROOT = process.cwd();

test("the guide's trading process records what the guide says", async (t) => {
  const cwd = await temporaryFolder(t);
  await layMigrated(join(cwd, "data", "clickhouse"));
  const program = join(ROOT, "examples", "record", "trading.mjs");
  const guide = await readFile(join(ROOT, "docs", "guides", "record.md"), "utf8");
  assert.ok(
    guide.includes(`\`\`\`js\n${await readFile(program, "utf8")}\`\`\`\n`),
    "the guide shows the example",
  );
  await copyFile(program, join(cwd, "trading.mjs"));
  await mkdir(join(cwd, "node_modules"));
  await symlink(ROOT, join(cwd, "node_modules", "coldpath"));
  const tour = tourOf(guide);
  assert.equal(tour.length, 3);
  for (const { command, output } of tour) {
    const [first, ...words] = wordsOf(command);
    const { stdout } =
      first === "node"
        ? await promisify(execFile)(process.execPath, words, { cwd })
        : await cli(words.slice(1), cwd);
    assert.equal(stdout.trimEnd(), output, command);
  }
});
