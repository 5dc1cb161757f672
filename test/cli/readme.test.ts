import assert from "node:assert/strict";
import { readFile, symlink } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { cli } from "../support/cli.js";
import { temporaryFolder } from "../support/folder.js";
import { tourOf, wordsOf } from "../support/tour.js";

const ROOT = process.cwd();

/** What differs from run to run: speeds, durations, and the day until which old rows stay. */
function withoutChance(output: string): string {
  return output
    .replace(/[\d,]+ rows\/s/g, "N rows/s")
    .replace(/in [\d.]+ s/g, "in N s")
    .replace(/about \d{4}-\d\d-\d\d/g, "about a day")
    .replace(/^(examples\S+ .*) [\d,]+$/gm, "$1 N")
    .replace(/^file .*$/gm, "headings")
    .replace(/ +/g, " ")
    .trimEnd();
}

test("the README's tour prints what the README says", async (t) => {
  const cwd = await temporaryFolder(t);
  await symlink(join(ROOT, "examples"), join(cwd, "examples"));
  const tour = tourOf(await readFile(join(ROOT, "README.md"), "utf8"));
  assert.ok(tour.length >= 4, "the tour was found");
  for (const { command, output } of tour) {
    const [program, ...words] = wordsOf(command);
    assert.equal(program, "npx");
    assert.equal(words.shift(), "coldpath");
    const { code, stdout, stderr } = await cli(words, cwd);
    assert.equal(code, 0, `${command}\n${stdout}${stderr}`);
    assert.equal(withoutChance(stdout), withoutChance(output), command);
  }
});
