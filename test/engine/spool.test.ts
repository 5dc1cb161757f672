import assert from "node:assert/strict";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import { IncomingBudget } from "../../src/engine/incoming-budget.js";
import { spool } from "../../src/engine/spool.js";
import { temporaryFolder } from "../support/folder.js";

test("a body that is cut off while its file is opened fails", async (t) => {
  const body = new PassThrough();
  const spooled = spool(
    join(await temporaryFolder(t), "body"),
    Buffer.alloc(0),
    body,
    new AbortController().signal,
    new IncomingBudget(64).open(),
  );
  // The file is still being opened: this runs before anything asynchronous has ended.
  body.destroy();
  await assert.rejects(spooled, /cut off/);
});

test("an abort while the file is opened is obeyed", async (t) => {
  const aborting = new AbortController();
  const file = join(await temporaryFolder(t), "body");
  const spooled = spool(
    file,
    Buffer.alloc(0),
    new PassThrough(),
    aborting.signal,
    new IncomingBudget(64).open(),
  );
  aborting.abort(new Error("gone"));
  await assert.rejects(spooled, /gone/);
});
