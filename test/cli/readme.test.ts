import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { chmod, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { CliProcess, PROGRAM } from "../support/cli.js";
import { temporaryFolder } from "../support/folder.js";
import { layMigrated } from "../support/migrated.js";
import { tourOf } from "../support/tour.js";
import { until } from "../support/until.js";

const ROOT = process.cwd();

/** What differs from run to run: speeds, durations, and the day until which old rows stay. */
function withoutChance(output: string): string {
  return output
    .replace(/[\d,]+ rows\/s/g, "N rows/s")
    .replace(/in [\d.]+ s/g, "in N s")
    .replace(/about \d{4}-\d\d-\d\d/g, "about a day")
    .replace(/^(\S+\.csv .*) [\d,]+$/gm, "$1 N")
    .replace(/^file .*$/gm, "headings")
    .replace(/ +/g, " ")
    .trimEnd();
}

/** A folder with an `npx` in it that knows this checkout's program, as it does in a clone. */
async function pathWithNpx(t: { after(fn: () => Promise<void>): void }): Promise<string> {
  const folder = await temporaryFolder(t);
  const npx = join(folder, "npx");
  await writeFile(npx, `#!/bin/sh\nshift\nexec "${process.execPath}" "${PROGRAM}" "$@"\n`);
  await chmod(npx, 0o755);
  return `${folder}${delimiter}${process.env["PATH"]}`;
}

test("the README's tour prints what the README says, command by command, in a shell", async (t) => {
  const PATH = await pathWithNpx(t);
  let cwd = await temporaryFolder(t);
  await symlink(join(ROOT, "examples"), join(cwd, "examples"));
  for (const folder of [cwd, join(cwd, "desk")]) {
    await mkdir(folder, { recursive: true });
    await layMigrated(join(folder, "data", "clickhouse"));
    // Commands join it, so that not each starts its own.
    const engine = new CliProcess(["db", "--listen", "127.0.0.1:0"], folder);
    t.after(() => engine.stop());
    await engine.printed(/embedded at/);
  }
  const tour = tourOf(await readFile(join(ROOT, "README.md"), "utf8"));
  assert.ok(tour.length >= 11, "the tour was found");
  const run = promisify(execFile);
  for (const { command, output } of tour) {
    const [, folder] = /^cd (\S+)$/.exec(command) ?? [];
    if (folder !== undefined) {
      cwd = join(cwd, folder);
      continue;
    }
    const { stdout } = await run("sh", ["-c", command], {
      cwd,
      env: { ...process.env, PATH, NO_COLOR: "1" },
    });
    assert.equal(withoutChance(stdout), withoutChance(output), command);
  }
});

test("the page whose address npm start prints is there, and its rows can be asked for as it says", async (t) => {
  const cwd = await temporaryFolder(t);
  await layMigrated(join(cwd, "data", "clickhouse"));
  const { scripts } = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8")) as {
    scripts: Record<string, string>;
  };
  const words = scripts["start"]!.split(" ");
  assert.deepEqual(words.slice(0, 2), ["node", "dist/src/cli/main.js"]);
  const demo = new CliProcess([...words.slice(2), "--set", "admin.listen=127.0.0.1:0"], cwd);
  t.after(() => demo.stop());
  const [, address] = await demo.printed(/status +(\S+)/);
  const page = await fetch(address!, { headers: { accept: "text/html" } });
  assert.match(await page.text(), /<title>/);
  const [, query] = await demo.printed(/query it +(curl .*)/);
  const answer = async (): Promise<string> => (await promisify(execFile)("sh", ["-c", query!])).stdout;
  await until("rows of the simulated market", async () => /│ SIM-\S+ +│ quote/.test(await answer()));
});
