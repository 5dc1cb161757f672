import assert from "node:assert/strict";
import { readdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import type { DeadLetter, Refused } from "../../src/sink/dead-letter.js";
import { DeadLetters } from "../../src/sink/dead-letters.js";
import { removeLetters } from "../../src/sink/letter-files.js";
import { temporaryFolder } from "../support/folder.js";
import { randomOf } from "../support/random.js";

function refused(text: string, fields: Partial<Refused> = {}): Refused {
  const origin = { source: null, source_seq: null };
  const what = { code: "VALUE_REJECTED", reason: "no" };
  return {
    table: "orders",
    recorder: "r",
    run: "17",
    seq: null,
    ...origin,
    ...what,
    body: { text },
    ...fields,
  };
}

async function all(folder: string): Promise<DeadLetter[]> {
  const letters = await DeadLetters.open(folder, 1n, assert.fail);
  const found: DeadLetter[] = [];
  for await (const letter of letters.list()) found.push(letter);
  await letters.close();
  return found;
}

test("letters are taken out of every file, and a file without letters goes", async (t) => {
  const folder = await temporaryFolder(t);
  for (const run of [17n, 18n]) {
    const letters = await DeadLetters.open(folder, run, assert.fail);
    await letters.add(refused(`a ${run}`));
    await letters.add(refused(`b ${run}`, { table: "fills" }));
    await letters.close();
  }
  const out = (await all(folder)).filter(({ bytes }) => bytes === "a 17" || bytes === "b 18");
  assert.equal(await removeLetters(folder, new Set(out.map(({ id }) => id))), 2);
  assert.deepEqual(
    (await all(folder)).map(({ bytes }) => bytes),
    ["b 17", "a 18"],
  );
  assert.deepEqual((await readdir(folder)).sort(), ["fills.17.ndjson", "orders.18.ndjson"]);
  assert.equal(await removeLetters(folder, new Set(["0000000000000000"])), 0);
});

test("a run that goes on adding loses no letter when others are taken out of its file", async (t) => {
  const random = randomOf(t);
  const folder = await temporaryFolder(t);
  const letters = await DeadLetters.open(folder, 17n, assert.fail);
  t.after(() => letters.close());
  const added = new Set<string>();
  const removed = new Set<string>();
  let adding = true;
  let rounds = 0;
  const writer = (async () => {
    for (let i = 0; i < 600 || rounds <= 3 || removed.size === 0; i += 3) {
      const rows = [i, i + 1, i + 2].map(String);
      await Promise.all(rows.map((text) => letters.add(refused(text))));
      for (const text of rows) added.add(text);
    }
    adding = false;
  })();
  while (adding || rounds === 0) {
    const safe = new Set(added);
    const out = (await all(folder)).filter(({ bytes }) => safe.has(bytes) && random() < 0.3);
    await removeLetters(folder, new Set(out.map(({ id }) => id)));
    for (const { bytes } of out) removed.add(bytes);
    rounds += 1;
  }
  await writer;
  const left = new Set((await all(folder)).map(({ bytes }) => bytes));
  assert.deepEqual([...left].sort(), [...added].filter((text) => !removed.has(text)).sort());
  assert.ok(rounds > 3 && removed.size > 0, `${rounds} rounds, ${removed.size} taken out`);
});

test("a row that is refused again after its letter was taken out is kept again", async (t) => {
  const folder = await temporaryFolder(t);
  const letters = await DeadLetters.open(folder, 17n, assert.fail);
  t.after(() => letters.close());
  const row = refused("x", { source: "a.csv", source_seq: "1" });
  await letters.add(row);
  await letters.add(row);
  const [first, ...others] = await all(folder);
  assert.deepEqual(others, []);
  await removeLetters(folder, new Set([first!.id]));
  await letters.add(row);
  const again = await all(folder);
  assert.equal(again.length, 1);
  assert.notEqual(again[0]!.id, first!.id);
});

test("whatever a kill leaves half done, no letter is lost", async (t) => {
  const folder = await temporaryFolder(t);
  const letters = await DeadLetters.open(folder, 17n, assert.fail);
  t.after(() => letters.close());
  await letters.add(refused("a"));
  await letters.add(refused("b"));
  const path = join(folder, "orders.17.ndjson");
  // Killed between moving the file aside and putting the rest in its place, of which half was written.
  await rename(path, join(folder, "orders.17.aside1.ndjson"));
  const text = await readFile(join(folder, "orders.17.aside1.ndjson"), "utf8");
  await writeFile(join(folder, "orders.17.aside1.ndjson.rewritten"), text.slice(0, 20));
  await letters.add(refused("c"));
  const found = await all(folder);
  assert.deepEqual(
    found.map(({ bytes }) => bytes),
    ["a", "b", "c"],
  );
  await removeLetters(folder, new Set([found[0]!.id, found[2]!.id]));
  assert.deepEqual(
    (await all(folder)).map(({ bytes }) => bytes),
    ["b"],
  );
  assert.deepEqual(await readdir(folder), ["orders.17.aside1.ndjson"]);
});
