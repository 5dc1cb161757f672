import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * Packs the project, installs the package into an empty folder as a user with a server of his own would (without the
 * optional embedded engine), and runs the installed program. Exits 1 with the reason if any of it is not as promised.
 */

const MAX_UNPACKED_BYTES = 3.5 * 1024 * 1024;
const folder = mkdtempSync(join(tmpdir(), "coldpath-package-"));

interface Run {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function run(command: string, args: readonly string[], cwd: string): Run {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: "utf8" });
  return { status, stdout, stderr };
}

function must(command: string, args: readonly string[], cwd: string): string {
  const { status, stdout, stderr } = run(command, args, cwd);
  assert.equal(status, 0, `${command} ${args.join(" ")} failed:\n${stdout}${stderr}`);
  return stdout;
}

try {
  const [packed] = JSON.parse(must("npm", ["pack", "--json", "--pack-destination", folder], ".")) as [
    { filename: string; unpackedSize: number; files: { path: string }[] },
  ];
  const paths = packed.files.map(({ path }) => path);
  const foreign = paths.filter(
    (path) =>
      !/^(dist\/src\/|src\/page\/browser\/|schemas\/|examples\/|deploy\/|docs\/|[A-Z]+(\.md)?$|package\.json$)/.test(
        path,
      ),
  );
  assert.deepEqual(foreign, [], "files that do not belong into the package");
  for (const needed of [
    "dist/src/cli/main.js",
    "dist/src/index.d.ts",
    "src/page/browser/main.js",
    "LICENSE",
    "README.md",
    "CHANGELOG.md",
  ]) {
    assert.ok(paths.includes(needed), `${needed} is missing from the package`);
  }
  assert.ok(packed.unpackedSize < MAX_UNPACKED_BYTES, `the package unpacks to ${packed.unpackedSize} bytes`);

  const app = join(folder, "app");
  must("mkdir", [app], folder);
  must("npm", ["init", "-y"], app);
  must("npm", ["install", "--omit=optional", "--no-audit", "--no-fund", join(folder, packed.filename)], app);
  const bin = join(app, "node_modules", ".bin", "coldpath");
  const { version } = JSON.parse(readFileSync("package.json", "utf8")) as { version: string };
  assert.equal(must(bin, ["--version"], app).trim(), version);
  must(bin, ["config", "check"], app);
  must(bin, ["init", "."], app);
  must(bin, ["migrate", "--print"], app);
  const db = run(bin, ["db"], app);
  assert.equal(db.status, 1);
  assert.match(db.stderr, /npm install chdb/, "without the optional engine the message says how to get it");
  must(
    process.execPath,
    ["--input-type=module", "--eval", 'await import("coldpath"); await import("coldpath/venues")'],
    app,
  );
  console.log(
    `package: ${paths.length} files, ${Math.round(packed.unpackedSize / 1024)} KiB unpacked, installs and runs`,
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}
