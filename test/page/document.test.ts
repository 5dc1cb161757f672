import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { Script } from "node:vm";
import { statusPage } from "../../src/page/status-page.js";

const FOLDER = "src/page/browser";
const SIZE_MAX = 220 * 1024;
const { html, headers } = statusPage();
const policy = new Map(
  headers["content-security-policy"]!.split("; ").map((rule) => [
    rule.split(" ")[0]!,
    rule.split(" ").slice(1),
  ]),
);

function inlined(tag: "script" | "style"): string[] {
  return [...html.matchAll(new RegExp(`<${tag}(?: type="module")?>(.*?)</${tag}>`, "gs"))].map(
    ([, text]) => text!,
  );
}

function hashOf(text: string): string {
  return `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
}

test("the policy allows the page its own scripts and styles by their hashes, and nothing else but to ask its service", () => {
  assert.equal(inlined("script").length, 2);
  assert.equal(inlined("style").length, 1);
  assert.deepEqual(Object.fromEntries(policy), {
    "default-src": ["'none'"],
    "script-src": inlined("script").map(hashOf),
    "style-src": inlined("style").map(hashOf),
    "connect-src": ["'self'"],
    "img-src": ["data:"],
    "base-uri": ["'none'"],
    "form-action": ["'none'"],
    "frame-ancestors": ["'none'"],
    "require-trusted-types-for": ["'script'"],
    "trusted-types": ["'none'"],
  });
  assert.equal(headers["x-content-type-options"], "nosniff");
  assert.equal(headers["referrer-policy"], "no-referrer");
  assert.equal(headers["x-frame-options"], "DENY");
});

test("nothing in the document points elsewhere: no address but those of its service, no inline handler or style", () => {
  const addresses = [...html.matchAll(/(?<![-\w])(?:src|href|action|srcset|poster)\s*=\s*"([^"]*)"/g)].map(
    ([, address]) => address!,
  );
  assert.ok(addresses.length > 3);
  for (const address of addresses) assert.match(address, /^(?:\/api\/|#main$|data:,$)/, address);
  const outside = [...html.matchAll(/https?:\/\/[^\s"'`<>)]+/g)].map(([found]) => found);
  const namespaces = ["http://www.w3.org/2000/svg"];
  assert.deepEqual(
    [...new Set(outside)].filter((each) => !namespaces.includes(each)),
    ["https://github.com/leeoniya/uPlot"],
  );
  const markup = html.replace(/<(script|style)\b.*?<\/\1>/gs, "");
  assert.doesNotMatch(markup, /\son\w+\s*=|\sstyle\s*=|@import|url\(/i);
  assert.doesNotMatch(inlined("style").join(), /@import|url\(/i);
});

test("the page is one document of modest size, whose scripts are whole", () => {
  assert.ok(html.length < SIZE_MAX, `${html.length} bytes`);
  const [chart, own] = inlined("script");
  for (const script of [chart!, own!]) new Script(script);
  assert.doesNotMatch(own!, /^\s*(?:import|export)\b/m);
  const modules = readdirSync(FOLDER).filter((name) => name.endsWith(".js"));
  for (const name of modules) {
    if (name === "report.js") continue;
    const variable = `$${name.replace(".js", "").replaceAll("-", "_")}`;
    assert.equal(own!.split(`const ${variable} = (() => {`).length, 2, `${name} is in the page once`);
  }
});

test("no module of the page makes markup of text, and one alone makes elements", () => {
  for (const name of readdirSync(FOLDER).filter((each) => each.endsWith(".js"))) {
    const text = readFileSync(join(FOLDER, name), "utf8");
    assert.doesNotMatch(
      text,
      /innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|Function\(/,
      name,
    );
    if (name !== "dom.js") assert.doesNotMatch(text, /createElement/, name);
    assert.ok(text.split("\n").length <= 300, `${name} is short enough to read in a sitting`);
    assert.match(text, /^\/\/ @ts-check\n/, name);
  }
});

test("the page's modules are checked by the compiler against their types", () => {
  const tsc = join(dirname(createRequire(import.meta.url).resolve("typescript/package.json")), "bin", "tsc");
  const { status, stdout } = spawnSync(process.execPath, [tsc, "-p", FOLDER], { encoding: "utf8" });
  assert.equal(status, 0, stdout);
});
