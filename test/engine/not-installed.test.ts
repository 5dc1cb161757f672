import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { Engine } from "../../src/engine/engine.js";
import { temporaryFolder } from "../support/folder.js";

test("without the chdb package the engine says what to install or configure", async (t) => {
  const folder = await temporaryFolder(t);
  const hook = join(folder, "hook.mjs");
  writeFileSync(
    hook,
    `import { register } from "node:module";
    const source = \`export async function resolve(name, context, next) {
      if (name === "chdb") throw Object.assign(new Error("Cannot find package 'chdb'"), { code: "ERR_MODULE_NOT_FOUND" });
      return next(name, context);
    }\`;
    register("data:text/javascript," + encodeURIComponent(source));`,
  );
  const before = process.env["NODE_OPTIONS"];
  process.env["NODE_OPTIONS"] = `--import ${pathToFileURL(hook)}`;
  t.after(() => {
    if (before === undefined) delete process.env["NODE_OPTIONS"];
    else process.env["NODE_OPTIONS"] = before;
  });
  await assert.rejects(Engine.start({ dataDir: join(folder, "clickhouse") }), {
    code: "ENGINE_NOT_INSTALLED",
    message: /Cannot find package 'chdb'.*npm install chdb.*clickhouse\.url/,
  });
});
