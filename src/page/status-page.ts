import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

/** The status page, one document that asks nobody but the service it came from. */
export interface StatusPage {
  readonly html: string;
  /** By name: what the browser is to allow it, which is its own scripts and styles and nothing else. */
  readonly headers: Readonly<Record<string, string>>;
}

/** The page's own files, as they were written: users build nothing. */
const FOLDER: string = fileURLToPath(new URL("../../../src/page/browser/", import.meta.url));
const MAIN = "main";
/** In this order: the last overrides those before. */
const STYLES = ["base", "head", "pipeline", "charts", "tables", "forms", "narrow"];
const IMPORT = /^import (\{[^}]*\}) from "\.\/([\w-]+)\.js";$/gm;
const EXPORT = /^export (?=(?:async )?(?:function|class|const) (\w+))/gm;

/** Puts the page together from its files, which are read once, at the start. */
export function statusPage(): StatusPage {
  const chart = readFileSync(createRequire(import.meta.url).resolve("uplot/dist/uPlot.iife.min.js"), "utf8");
  const styles = `\n${STYLES.map((name) => read(`${name}.css`)).join("\n")}`;
  const scripts = [chart, `\n${linked(MAIN)}`];
  const html = read("page.html")
    .replace("<!-- styles -->", () => `<style>${styles}</style>`)
    .replace(
      "<!-- scripts -->",
      () => `<script>${scripts[0]}</script>\n<script type="module">${scripts[1]}</script>`,
    );
  return { html, headers: headers(scripts, styles) };
}

/**
 * A module and all that it imports as one script, as the policy of the page names no other: each module becomes a function
 * that is called once and gives what it exports, before those that import it. Of the language's forms of import and export
 * it knows the two that the page uses.
 */
function linked(name: string, done: Set<string> = new Set()): string {
  done.add(name);
  const text = read(`${name}.js`);
  const needed = [...text.matchAll(IMPORT)].map((match) => match[2]!);
  const before = needed.map((each) => (done.has(each) ? "" : linked(each, done)));
  const exported = [...text.matchAll(EXPORT)].map((match) => match[1]!);
  const body = text
    .replace(IMPORT, (_import, names: string, from: string) => `const ${names} = ${variableOf(from)};`)
    .replace(EXPORT, "");
  const module = `const ${variableOf(name)} = (() => {\n${body}return { ${exported.join(", ")} };\n})();\n`;
  return [...before, module].join("");
}

function variableOf(name: string): string {
  return `$${name.replaceAll("-", "_")}`;
}

function read(name: string): string {
  return readFileSync(`${FOLDER}${name}`, "utf8");
}

function headers(scripts: readonly string[], styles: string): Record<string, string> {
  const policy = [
    "default-src 'none'",
    `script-src ${scripts.map(hashOf).join(" ")}`,
    `style-src ${hashOf(styles)}`,
    "connect-src 'self'",
    "img-src data:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    // No text becomes markup, whatever the page's own code does with it.
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ];
  return {
    "content-security-policy": policy.join("; "),
    "content-type": "text/html; charset=utf-8",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cache-control": "no-store",
  };
}

function hashOf(text: string): string {
  return `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
}
