import assert from "node:assert/strict";
import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { readOrCreateSecret } from "../../src/base/secret.js";
import { temporaryFolder } from "../support/folder.js";

test("the first to ask makes the secret, everybody later reads it, and nothing else is left", async (t) => {
  const folder = join(await temporaryFolder(t), "new");
  const file = join(folder, "token");
  const secret = readOrCreateSecret(file);
  assert.match(secret, /^[\w-]{43}$/);
  assert.equal(readOrCreateSecret(file), secret);
  assert.equal(await readFile(file, "utf8"), `${secret}\n`);
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  assert.deepEqual(await readdir(folder), ["token"]);
});

test("an empty file, as a crash may leave it, is no secret: one is made in its place", async (t) => {
  const folder = await temporaryFolder(t);
  const file = join(folder, "token");
  for (const left of ["", "\n"]) {
    await writeFile(file, left);
    const secret = readOrCreateSecret(file);
    assert.match(secret, /^[\w-]{43}$/);
    assert.equal(readOrCreateSecret(file), secret);
    assert.deepEqual(await readdir(folder), ["token"]);
  }
});
