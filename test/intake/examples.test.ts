import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { CASES, sameAsTheEngine } from "./example-cases.js";
import { openPlace, startTables } from "./fixture.js";

const clickhouse = await startTables({ after });

for (const example of CASES) {
  test(`the sample of examples/${example.example} is stored as the engine reads it`, async (t) => {
    const place = await openPlace(t, clickhouse);
    const folder = join("examples", example.example);
    const names = readdirSync(folder).filter((name) => name.endsWith(".csv"));
    assert.ok(names.length > 0);
    const files = names.map((fileName) => ({ fileName, content: readFileSync(join(folder, fileName)) }));
    const rows = files.reduce((sum, { content }) => sum + content.toString().trimEnd().split("\n").length, 0);
    const headers = example.example === "fx-l1" ? 0 : files.length;
    const report = await place.ingest({
      table: example.table,
      files: names.map((name) => join(folder, name)),
      mapping: join(folder, "mapping.yaml"),
    });
    assert.deepEqual(
      report.files.map(({ rejections, error }) => [rejections, error]),
      files.map(() => [[], undefined]),
    );
    assert.equal(report.stored, rows - headers);
    await sameAsTheEngine(clickhouse, example, files, report);
    const again = await place.ingest({
      table: example.table,
      files: names.map((name) => join(folder, name)),
      mapping: join(folder, "mapping.yaml"),
    });
    assert.deepEqual([again.stored, again.alreadyStored], [0, rows - headers]);
  });

  test(`the README of examples/${example.example} names its mapping and its files`, () => {
    const folder = join("examples", example.example);
    const readme = readFileSync(join(folder, "README.md"), "utf8");
    const command = /coldpath ingest (.*) --table (\w+) --map (\S+)/.exec(readme);
    assert.ok(command !== null);
    assert.equal(command[2], example.table);
    assert.equal(command[3], `examples/${example.example}/mapping.yaml`);
    const named = readdirSync(folder).filter(
      (name) => command[1] === `${folder}/${name}` || name.endsWith(".csv"),
    );
    assert.ok(
      named.length > 0 &&
        (command[1] === `${folder}/*.csv` || named.includes(command[1]!.split("/").at(-1)!)),
    );
  });
}
