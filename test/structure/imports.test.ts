import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { test } from "node:test";

/**
 * What each folder of `src/` may import; type imports count. A row's way leads down this list, so an import that is not
 * listed here turns the flow round: move the code, do not extend the list lightly.
 */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  base: [],
  native: ["base"],
  metrics: ["base", "recorder.ts"],
  wal: ["base", "native", "schemas", "buffer"],
  spool: ["base", "native", "schemas", "buffer", "gaps", "wal"],
  ring: ["base", "native"],
  clickhouse: ["base"],
  config: ["base"],
  demo: ["base"],
  schemas: ["base", "clickhouse", "native"],
  engine: ["base", "native", "clickhouse"],
  buffer: ["base", "native", "schemas", "gaps"],
  gaps: ["base", "native"],
  health: ["base", "native"],
  sink: ["base", "native", "schemas", "clickhouse", "buffer"],
  policy: ["base", "native", "buffer", "gaps"],
  overload: ["base", "native", "buffer", "policy", "sink"],
  "table-writer.ts": [
    "base",
    "native",
    "schemas",
    "buffer",
    "gaps",
    "health",
    "policy",
    "sink",
    "overload",
    "spool",
  ],
  "recorder-options.ts": [
    "base",
    "clickhouse",
    "schemas",
    "health",
    "sink",
    "overload",
    "wal",
    "spool",
    "table-writer.ts",
  ],
  "recorder-types.ts": [
    "buffer",
    "gaps",
    "sink",
    "spool",
    "wal",
    "table-writer.ts",
    "recorder-options.ts",
    "recorder-stats.ts",
  ],
  "recorder-parts.ts": ["buffer", "schemas", "sink", "wal", "recorder-options.ts"],
  "recorder-notes.ts": ["base", "native", "gaps", "health", "overload", "sink", "recorder-options.ts"],
  "recorder-stats.ts": ["buffer", "clickhouse", "health", "sink", "wal", "spool", "table-writer.ts"],
  "table-buffers.ts": [
    "base",
    "buffer",
    "schemas",
    "sink",
    "wal",
    "spool",
    "recorder-options.ts",
    "recorder-stats.ts",
  ],
  "recorder.ts": [
    "base",
    "native",
    "schemas",
    "clickhouse",
    "buffer",
    "gaps",
    "health",
    "policy",
    "sink",
    "overload",
    "wal",
    "spool",
    "table-writer.ts",
    "recorder-notes.ts",
    "recorder-options.ts",
    "recorder-parts.ts",
    "recorder-stats.ts",
    "recorder-types.ts",
    "table-buffers.ts",
  ],
  letters: ["base", "native", "schemas", "clickhouse", "buffer", "sink", "wal", "intake"],
  intake: ["base", "native", "ring", "schemas", "clickhouse", "recorder.ts"],
  remote: ["base", "native", "schemas", "buffer", "sink", "intake"],
  service: [
    "base",
    "config",
    "clickhouse",
    "engine",
    "schemas",
    "recorder.ts",
    "intake",
    "demo",
    "admin",
    "live",
    "letters",
    "metrics",
  ],
  sdk: [
    "base",
    "native",
    "ring",
    "config",
    "clickhouse",
    "schemas",
    "intake",
    "recorder.ts",
    "letters",
    "live",
    "metrics",
    "service",
  ],
  venues: ["base", "native", "schemas", "intake", "sdk"],
  live: ["base", "recorder.ts"],
  page: [],
  admin: ["base", "config", "clickhouse", "schemas", "wal", "intake", "live", "page", "recorder.ts"],
  cli: [
    "base",
    "config",
    "clickhouse",
    "engine",
    "schemas",
    "wal",
    "intake",
    "letters",
    "remote",
    "recorder.ts",
    "service",
    "admin",
    "live",
    "demo",
  ],
  "index.ts": [
    "base",
    "native",
    "intake",
    "schemas",
    "clickhouse",
    "recorder.ts",
    "config",
    "service",
    "sdk",
    "metrics",
  ],
};

const ROOT = resolve("src");

/** `wal/frame.ts` belongs to `wal`, `recorder.ts` to itself. */
function placeOf(file: string): string {
  return relative(ROOT, file).split("/")[0]!;
}

function importsOf(file: string): string[] {
  const text = readFileSync(file, "utf8");
  const found = [
    ...text.matchAll(/^(?:import|export)\b[^;]*?\bfrom\s+"([^"]+)"|\bimport\(\s*"([^"]+)"\s*\)/gms),
  ];
  return found.map((match) => (match[1] ?? match[2])!).filter((name) => name.startsWith("."));
}

const files = readdirSync(ROOT, { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".ts"))
  .map((name) => join(ROOT, name));

test("every import goes down the way of a row", () => {
  const wrong: string[] = [];
  for (const file of files) {
    const from = placeOf(file);
    assert.ok(from in ALLOWED, `src/${from} is not in the table of allowed imports`);
    for (const name of importsOf(file)) {
      const target = resolve(dirname(file), name).replace(/\.js$/, ".ts");
      const to = placeOf(target);
      if (to.startsWith("..")) wrong.push(`${relative(".", file)} leaves src: ${name}`);
      else if (to !== from && !ALLOWED[from]!.includes(to)) {
        wrong.push(
          `${relative(".", file)} imports ${to}; ${from} may import ${ALLOWED[from]!.join(", ") || "nothing"}`,
        );
      }
    }
  }
  assert.deepEqual(wrong, []);
});

test("no file imports itself through others", () => {
  const graph = new Map(
    files.map((file) => [
      file,
      importsOf(file).map((name) => resolve(dirname(file), name).replace(/\.js$/, ".ts")),
    ]),
  );
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): void => {
    assert.ok(
      !path.includes(file),
      `import cycle: ${[...path, file].map((each) => relative(ROOT, each)).join(" → ")}`,
    );
    if (done.has(file)) return;
    for (const next of graph.get(file) ?? []) visit(next, [...path, file]);
    done.add(file);
  };
  for (const file of files) visit(file, []);
});

test("only the engine's child process loads the embedded engine", () => {
  const loading = files.filter((file) => /(?:from|import\()\s*"chdb"/.test(readFileSync(file, "utf8")));
  assert.ok(
    loading.every((file) => placeOf(file) === "engine"),
    loading.join(),
  );
});

test("source files stay short enough to read in a sitting", () => {
  const long = files
    .filter((file) => !file.endsWith(".generated.ts"))
    .map((file) => [relative(".", file), readFileSync(file, "utf8").split("\n").length] as const)
    .filter(([, lines]) => lines > 500);
  assert.deepEqual(long, []);
});
