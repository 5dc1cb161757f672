import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { POINTS } from "./points.js";

test("every crash point of the source is one that the torture kills at", () => {
  const source = readdirSync("src", { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => readFileSync(join("src", name), "utf8"))
    .join("\n");
  const found = [...source.matchAll(/\bcrashPoint\(\s*"([^"]+)"/g)].map((match) => match[1]!);
  assert.deepEqual([...new Set(found)].sort(), [...POINTS].sort());
});
