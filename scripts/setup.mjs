// Makes a fresh checkout ready: installs what is missing and compiles. Plain JavaScript, because it runs before either.
import { spawnSync } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");

const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`coldpath needs Node 20.19 or newer; this is ${process.version}`);
  process.exit(1);
}

/** @param {string} what @param {string[]} args */
function run(what, args) {
  const { status, error } = spawnSync(process.execPath, args, { cwd: root, stdio: ["ignore", 2, 2] });
  if (status !== 0) {
    console.error(`${what} failed${error ? `: ${error.message}` : ""}`);
    process.exit(1);
  }
}

/** @param {string} path */
const age = (path) => (existsSync(join(root, path)) ? statSync(join(root, path)).mtimeMs : 0);

// npm writes this file last, so an interrupted install is taken up again.
if (age("node_modules/.package-lock.json") < age("package-lock.json")) {
  console.error("installing packages (npm ci) …");
  const npm = process.env.npm_execpath;
  if (npm === undefined) {
    console.error("run this through npm: npm start, npm test");
    process.exit(1);
  }
  run("npm ci", [npm, "ci", "--no-audit", "--no-fund"]);
}
run("the build", [join(root, "node_modules/typescript/bin/tsc"), "-p", root]);
