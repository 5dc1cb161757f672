import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { appendFile, mkdir, open, readdir, readFile, stat, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import type { DeadLetter, Refused } from "../../src/sink/dead-letter.js";
import { BYTES_MAX } from "../../src/sink/dead-letter.js";
import { DeadLetters } from "../../src/sink/dead-letters.js";
import { temporaryFolder } from "../support/folder.js";

const RUN = 17n;
const FILE = "orders.17.ndjson";

function refused(fields: Partial<Refused> = {}): Refused {
  return {
    table: "orders",
    recorder: "desk-1",
    run: "17",
    seq: null,
    source: null,
    source_seq: null,
    code: "VALUE_REJECTED",
    reason: "column qty: 'x' is no decimal",
    body: { text: '{"qty":"x"}' },
    ...fields,
  };
}

async function all(letters: DeadLetters, table?: string): Promise<DeadLetter[]> {
  const found: DeadLetter[] = [];
  for await (const letter of letters.list(table)) found.push(letter);
  return found;
}

test("a letter is on disk when it was added, readable by its owner alone", async (t) => {
  const folder = join(await temporaryFolder(t), "letters");
  const letters = await DeadLetters.open(folder, RUN, assert.fail);
  t.after(() => letters.close());
  await letters.add(refused({ seq: "4", source: "a.csv", source_seq: "9007199254740993" }));
  const path = join(folder, FILE);
  const [line] = (await readFile(path, "utf8")).split("\n");
  const { id, time, ...rest } = JSON.parse(line!) as DeadLetter;
  assert.match(id, /^[0-9a-f]{16}$/);
  assert.ok(Math.abs(Date.parse(time) - Date.now()) < 60_000);
  assert.deepEqual(rest, {
    table: "orders",
    recorder: "desk-1",
    run: "17",
    seq: "4",
    source: "a.csv",
    source_seq: "9007199254740993",
    code: "VALUE_REJECTED",
    reason: "column qty: 'x' is no decimal",
    hash: createHash("sha256").update('{"qty":"x"}').digest("hex").slice(0, 16),
    encoding: "text",
    bytes: '{"qty":"x"}',
  });
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  assert.equal((await stat(folder)).mode & 0o777, 0o700);
});

test("the format's page shows a letter and names every key", async (t) => {
  const page = await readFile("docs/reference/formats/dead-letters.md", "utf8");
  const example = JSON.parse(/```json\n(.*)\n```/.exec(page)![1]!) as DeadLetter;
  const letters = await DeadLetters.open(await temporaryFolder(t), RUN, assert.fail);
  t.after(() => letters.close());
  await letters.add(refused({ source: "a", source_seq: "1" }));
  await letters.add(refused({ body: { text: "x".repeat(BYTES_MAX + 1) } }));
  const [plain, cut] = await all(letters);
  assert.deepEqual(Object.keys(example), Object.keys(plain!));
  for (const key of Object.keys(cut!)) assert.match(page, new RegExp(`^\\| .*\`${key}\``, "m"), key);
});

test("the same row of the same source is kept once, also by the next process", async (t) => {
  const folder = await temporaryFolder(t);
  const row = refused({ source: "a.csv", source_seq: "7" });
  const first = await DeadLetters.open(folder, RUN, assert.fail);
  await Promise.all([first.add(row), first.add(row)]);
  await first.add(row);
  await first.close();
  const second = await DeadLetters.open(folder, 18n, assert.fail);
  t.after(() => second.close());
  await second.add(row);
  await second.add({ ...row, source_seq: "8" });
  await second.add({ ...row, source: "b.csv" });
  await second.add({ ...row, table: "fills" });
  const found = (await all(second)).map(
    ({ table, source, source_seq }) => `${table} ${source} ${source_seq}`,
  );
  assert.deepEqual(found, ["fills a.csv 7", "orders a.csv 7", "orders a.csv 8", "orders b.csv 7"]);
});

test("other bytes under the same origin are another row", async (t) => {
  const folder = await temporaryFolder(t);
  const letters = await DeadLetters.open(folder, RUN, assert.fail);
  t.after(() => letters.close());
  const origin = { source: "http", source_seq: "7" };
  const native = (content: string, native: string): Refused =>
    refused({ ...origin, body: { native: Buffer.from(native), content: Buffer.from(content) } });
  await letters.add(refused({ ...origin, body: { text: "a" } }));
  await letters.add(refused({ ...origin, body: { text: "b" } }));
  await letters.add(refused({ ...origin, body: { raw: Buffer.from("b") } }));
  const long = "x".repeat(BYTES_MAX);
  await letters.add(refused({ ...origin, body: { text: `${long}1` } }));
  await letters.add(refused({ ...origin, body: { text: `${long}2` } }));
  // The number a row was given is no part of what it is.
  await letters.add(native("row", "row as number 1"));
  await letters.add(native("row", "row as number 2"));
  const found = (await all(letters)).map((letter) => letter.bytes);
  assert.deepEqual(found, ["a", "b", long, long, Buffer.from("row as number 1").toString("base64")]);
});

test("processes that share the folder leave each other's letters alone", async (t) => {
  const folder = await temporaryFolder(t);
  const [mine, theirs] = [
    await DeadLetters.open(folder, RUN, assert.fail),
    await DeadLetters.open(folder, 18n, assert.fail),
  ];
  t.after(() => Promise.all([mine.close(), theirs.close()]));
  await mine.add(refused({ seq: "1" }));
  await theirs.add(refused({ seq: "2" }));
  // My next sync fails, as on a full disk: my file is cut back to what is safe.
  const probe = await open(join(folder, FILE));
  const prototype = Object.getPrototypeOf(probe) as { datasync(): Promise<void> };
  await probe.close();
  t.mock.method(prototype, "datasync", () => Promise.reject(new Error("disk full")), { times: 1 });
  await assert.rejects(mine.add(refused({ seq: "3" })), /disk full/);
  await mine.add(refused({ seq: "4" }));
  assert.deepEqual(
    (await all(mine)).map((letter) => letter.seq),
    ["1", "4", "2"],
  );
});

test("a last line that another process is writing is reported, not cut", async (t) => {
  const folder = await temporaryFolder(t);
  const path = join(folder, "orders.18.ndjson");
  const half = '{"id":"00","bytes":"ha';
  await writeFile(path, half);
  const damaged: unknown[] = [];
  const letters = await DeadLetters.open(folder, RUN, (...place) => damaged.push(place));
  t.after(() => letters.close());
  await letters.add(refused({ source: "a", source_seq: "1" }));
  assert.equal(await readFile(path, "utf8"), half);
  assert.deepEqual(damaged, [[path, 1]]);
  assert.equal((await all(letters)).length, 1);
});

test("rows without an origin are all kept", async (t) => {
  const letters = await DeadLetters.open(await temporaryFolder(t), RUN, assert.fail);
  t.after(() => letters.close());
  await letters.add(refused());
  await letters.add(refused());
  assert.equal((await all(letters, "orders")).length, 2);
});

test("a row without an origin that an earlier start numbered is kept once", async (t) => {
  const folder = await temporaryFolder(t);
  const earlier = await DeadLetters.open(folder, RUN, assert.fail);
  await earlier.add(refused({ seq: "4" }));
  await earlier.close();
  const letters = await DeadLetters.open(folder, 18n, assert.fail);
  t.after(() => letters.close());
  for (const row of [{ seq: "4" }, { seq: "5" }, { seq: "5" }, { run: "18", seq: "4" }])
    await letters.add(refused(row));
  const found = await all(letters);
  assert.deepEqual(
    found.map(({ run, seq }) => `${run}/${seq}`),
    ["17/4", "17/5", "18/4"],
  );
});

test("a torn line of its own is cut off and the next letter stands on a line of its own", async (t) => {
  const folder = await temporaryFolder(t);
  const first = await DeadLetters.open(folder, RUN, assert.fail);
  const row = refused({ source: "a", source_seq: "1" });
  await first.add(row);
  await first.add({ ...row, source_seq: "2" });
  await first.close();
  const path = join(folder, FILE);
  const whole = await readFile(path);
  for (const length of [whole.length - 1, whole.length - 20, whole.indexOf("\n") + 2]) {
    await writeFile(path, whole);
    await truncate(path, length);
    const next = await DeadLetters.open(folder, RUN, assert.fail);
    assert.deepEqual(
      (await all(next)).map((letter) => letter.source_seq),
      ["1"],
      `torn at ${length}`,
    );
    await next.add({ ...row, source_seq: "2" });
    await next.close();
    assert.deepEqual(
      (await all(next)).map((letter) => letter.source_seq),
      ["1", "2"],
    );
  }
});

test("damage in the middle costs its line and is reported", async (t) => {
  const folder = await temporaryFolder(t);
  const damaged: unknown[] = [];
  const letters = await DeadLetters.open(folder, RUN, (...place) => damaged.push(place));
  await letters.add(refused({ seq: "1" }));
  await letters.close();
  await appendFile(join(folder, FILE), "\0\0\0\0\n");
  const again = await DeadLetters.open(folder, RUN, (...place) => damaged.push(place));
  await again.add(refused({ seq: "2" }));
  await again.close();
  damaged.length = 0;
  assert.deepEqual(
    (await all(again)).map((letter) => letter.seq),
    ["1", "2"],
  );
  assert.deepEqual(damaged, [[join(folder, FILE), 2]]);
});

test("what is kept of a row comes back byte for byte, whatever the bytes", async (t) => {
  const letters = await DeadLetters.open(await temporaryFolder(t), RUN, assert.fail);
  t.after(() => letters.close());
  const odd = 'a\nb\u2028c\u0000"\\é𝄞';
  const binary = Buffer.from([0xff, 0xfe, 0x00, 0x80, 0x0a]);
  await letters.add(refused({ body: { text: odd } }));
  await letters.add(refused({ body: { raw: Buffer.from(odd) } }));
  await letters.add(refused({ body: { raw: binary } }));
  await letters.add(refused({ body: { native: binary, content: binary } }));
  const found = (await all(letters)).map(({ encoding, bytes }) => [encoding, bytes]);
  const base64 = binary.toString("base64");
  assert.deepEqual(found, [
    ["text", odd],
    ["text", odd],
    ["base64", base64],
    ["native", base64],
  ]);
});

test("a very long row is cut, and says so", async (t) => {
  const letters = await DeadLetters.open(await temporaryFolder(t), RUN, assert.fail);
  t.after(() => letters.close());
  const long = `${"é".repeat(BYTES_MAX)}!`;
  await letters.add(refused({ body: { text: long } }));
  const [letter] = await all(letters);
  assert.equal(letter!.cut_from, Buffer.byteLength(long));
  assert.ok(long.startsWith(letter!.bytes));
  assert.equal(Buffer.byteLength(letter!.bytes), BYTES_MAX);
});

test("letters that arrive together share a write", async (t) => {
  const folder = await temporaryFolder(t);
  const letters = await DeadLetters.open(folder, RUN, assert.fail);
  t.after(() => letters.close());
  await letters.add(refused());
  const probe = await open(join(folder, FILE));
  const prototype = Object.getPrototypeOf(probe) as { datasync(): Promise<void> };
  await probe.close();
  const syncs = t.mock.method(prototype, "datasync");
  const count = 5000;
  await Promise.all(
    [...Array(count).keys()].map((i) => letters.add(refused({ source: "s", source_seq: `${i}` }))),
  );
  assert.equal((await all(letters)).length, count + 1);
  const calls = syncs.mock.callCount();
  assert.ok(calls > 0 && calls < count / 10, `${calls} syncs`);
});

test("a folder that cannot be written fails the letter, and the next one works once it can", async (t) => {
  const folder = await temporaryFolder(t);
  const letters = await DeadLetters.open(folder, RUN, assert.fail);
  t.after(() => letters.close());
  await mkdir(join(folder, FILE));
  const row = refused({ source: "a", source_seq: "1" });
  await assert.rejects(letters.add(row), { code: "EISDIR" });
  const { rm } = await import("node:fs/promises");
  await rm(join(folder, FILE), { recursive: true });
  await letters.add(row);
  assert.equal((await all(letters)).length, 1);
});

test("any table name makes a file name of its own", async (t) => {
  const folder = await temporaryFolder(t);
  const letters = await DeadLetters.open(folder, RUN, assert.fail);
  t.after(() => letters.close());
  for (const table of ["a/../b", "a%2Fb", "a b"]) await letters.add(refused({ table }));
  assert.deepEqual(
    (await readdir(folder)).sort(),
    ["a%20b.17.ndjson", "a%252Fb.17.ndjson", "a%2F..%2Fb.17.ndjson"].sort(),
  );
  assert.equal((await all(letters, "a/../b")).length, 1);
});
