import assert from "node:assert";
import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { isMap, LineCounter, parseDocument, type YAMLError } from "yaml";
import { messageOf } from "../base/errors.js";
import { isLoopbackUrl } from "../base/loopback.js";
import { nearest } from "../base/nearest.js";
import { crossCheck } from "./check.js";
import { ConfigError, describeIssue, withGiven } from "./issues.js";
import { isKnown, KEYS, type KeyType, keyOf } from "./keys.js";
import { type ConfigIssue, Layers, type Tree, valueAt } from "./layers.js";
import { CONFIG_SCHEMA, type Config } from "./schema.js";

export interface LoadOptions {
  /** Configuration file; without it `coldpath.yaml` in `cwd` is used if there is one. */
  readonly file?: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** `path=value` pairs of the command line. */
  readonly set?: readonly string[];
  /** Keys and values given in code, in the shape of the file; later than all else. */
  readonly values?: object | undefined;
  readonly cwd: string;
}

export interface LoadedConfig {
  readonly config: Config;
  /** Where the value of a path came from: `default`, `coldpath.yaml:12`, `COLDPATH_…`, `--set`. */
  originOf(path: string): string;
  /** What is allowed and still not right, one line each. */
  readonly warnings: readonly string[];
}

/** The permission of others to read a file. */
const OTHERS_READ = 0o004;

/**
 * Reads file, environment and flags (later wins), checks everything, and returns the effective configuration.
 *
 * @throws ConfigError with every mistake found, never just the first.
 */
export function loadConfig(options: LoadOptions): LoadedConfig {
  const layers = new Layers();
  const home = readFile(options, layers);
  readEnvironment(options, layers);
  readFlags(options, layers);
  readTree(options.values ?? {}, layers, () => "the options", options.cwd);
  const { issues } = layers;
  const parsed = parseTree(layers);
  const config = resolvePaths(parsed, layers, home);
  const isBroken = brokenBy(issues);
  const found = crossCheck(config, isBroken);
  const warnings: string[] = [];
  const withPassword = isBroken("clickhouse.password_file") ? config : readPassword(config, found, warnings);
  issues.push(...found.map((issue) => withGiven(issue, withPassword, layers)));
  if (issues.length > 0) throw new ConfigError(issues);
  warnings.push(...inClear(withPassword.clickhouse));
  return { config: withPassword, originOf: (path) => originIn(layers, path), warnings };
}

/** The values of all layers; in place of those that are no good, which are told, there are defaults. */
function parseTree(layers: Layers): Config {
  for (;;) {
    const parsed = CONFIG_SCHEMA.safeParse(layers.tree);
    if (parsed.success) return parsed.data;
    const before = JSON.stringify(layers.tree);
    layers.issues.push(...parsed.error.issues.flatMap((issue) => describeIssue(issue, layers)));
    for (const issue of parsed.error.issues) {
      const keys =
        issue.code === "unrecognized_keys" ? issue.keys.map((key) => [...issue.path, key]) : [issue.path];
      for (const path of keys) layers.remove(path.map(String));
    }
    assert(JSON.stringify(layers.tree) !== before, "each mistake stands somewhere");
  }
}

/** Whether a key, or one of a group or the group that it is in, has a mistake. A file that cannot be read breaks all. */
function brokenBy(issues: readonly ConfigIssue[]): (path: string) => boolean {
  const broken = issues.map(({ path }) => KEYS.find(({ env }) => env === path)?.path ?? path);
  return (path) =>
    broken.some(
      (each) => each === "" || each === path || each.startsWith(`${path}.`) || path.startsWith(`${each}.`),
    );
}

/** Where a value came from; the password from its file counts as that which names the file. */
function originIn({ origins }: Layers, path: string): string {
  const isFromFile = path === "clickhouse.password" && !origins.has(path);
  return origins.get(isFromFile ? "clickhouse.password_file" : path) ?? "default";
}

/** Reads the file, if there is one, and gives the folder that defaults count from: the file's, else the working folder. */
function readFile(options: LoadOptions, layers: Layers): string {
  // Scripts unset a variable by making it empty.
  const named = options.file ?? (options.env["COLDPATH_CONFIG"] || undefined);
  const file = resolve(options.cwd, named ?? "coldpath.yaml");
  if (named === undefined && !existsSync(file)) return options.cwd;
  readYaml(file, named ?? "coldpath.yaml", layers);
  return dirname(file);
}

function readYaml(file: string, shown: string, layers: Layers): void {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    layers.issues.push({ path: "", message: `cannot read ${file}: ${messageOf(error)}` });
    return;
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: true });
  const faults = [...document.errors, ...document.warnings];
  for (const fault of faults) layers.issues.push({ path: "", message: `${shown}: ${faultText(fault)}` });
  if (faults.length > 0 || document.contents === null) return;
  if (!isMap(document.contents)) {
    layers.issues.push({ path: "", message: `${shown}: expected keys and values at the top` });
    return;
  }
  const origin = (path: readonly string[]): string => {
    const offset = (document.getIn(path, true) as { range?: [number, number, number] } | undefined)
      ?.range?.[0];
    return offset === undefined ? shown : `${shown}:${lines.linePos(offset).line}`;
  };
  let tree: object;
  try {
    tree = document.toJS() as object;
  } catch (error) {
    // Aliases of nothing, and aliases of aliases that would fill the memory, are found only now.
    layers.issues.push({ path: "", message: `${shown}: ${withoutSource(messageOf(error))}` });
    return;
  }
  readTree(tree, layers, origin, dirname(file));
  const place = layers.origins.get("clickhouse.password");
  if (place !== undefined) {
    const message = `not in a file: use COLDPATH_CLICKHOUSE_PASSWORD, or clickhouse.password_file (${place})`;
    layers.issues.push({ path: "clickhouse.password", message });
  }
}

/** What is wrong in the text of a file, in one line. */
function faultText({ code, message }: YAMLError): string {
  if (code === "MULTIPLE_DOCS") return "holds more than one document (---)";
  const [, what = message, where = ""] = /^(.*?)( at line \d+, column \d+):?$/m.exec(message) ?? [];
  return withoutSource(what.split("\n", 1)[0]!) + where;
}

/** What YAML says of a fault without the text that it quotes: a password that nobody put into quotes may be a tag, an alias or a directive. */
function withoutSource(message: string): string {
  return message
    .replace(
      /^Unresolved (tag|alias)\b.*$/s,
      (_, kind: string) =>
        `an unknown ${kind} (a text that begins with ${kind === "tag" ? "!" : "*"} needs quotes)`,
    )
    .replace(/(?<=\w): .*$/s, "")
    .replace(/^Unknown directive .*$/s, "an unknown directive")
    .replace(/^(?:Verbatim tags|The \S+ tag) .*$/s, "a tag that is none");
}

/** Sets every leaf of a tree of keys and values. */
function readTree(
  tree: object,
  layers: Layers,
  originOf: (path: readonly string[]) => string,
  folder: string,
): void {
  const visit = (value: unknown, path: readonly string[]): void => {
    if (
      typeof value === "object" &&
      value !== null &&
      !Array.isArray(value) &&
      Object.keys(value).length > 0
    ) {
      for (const [key, child] of Object.entries(value)) visit(child, [...path, key]);
      return;
    }
    // A key or group left empty ("admin:") is as good as absent; an unknown one is still a mistake.
    if ((value === null || value === undefined) && isKnown(path)) return;
    layers.set(path, value, originOf(path), folder);
  };
  for (const [key, child] of Object.entries(tree)) visit(child, [key]);
}

function readEnvironment(options: LoadOptions, layers: Layers): void {
  for (const [name, text] of Object.entries(options.env)) {
    if (!name.startsWith("COLDPATH_") || name === "COLDPATH_CONFIG" || text === undefined) continue;
    // Seeds and crash points of the tests; they are no configuration.
    if (name.startsWith("COLDPATH_TEST_")) continue;
    const key = KEYS.find(({ env }) => env === name);
    if (key === undefined) {
      const guess = nearest(
        name,
        KEYS.map(({ env }) => env).filter((env) => env !== ""),
      );
      layers.issues.push({ path: name, message: `no such key${guess ? `; nearest is ${guess}` : ""}` });
      continue;
    }
    layers.set(key.path.split("."), fromText(key.type, text), name, options.cwd);
  }
}

function readFlags(options: LoadOptions, layers: Layers): void {
  for (const pair of options.set ?? []) {
    const at = pair.indexOf("=");
    if (at <= 0) {
      // Unless it is a key alone, it may be a secret.
      const given = keyOf(pair) === undefined ? "***" : pair;
      layers.issues.push({ path: "--set", message: `${given}: expected KEY=VALUE` });
      continue;
    }
    const path = pair.slice(0, at);
    if (keyOf(path)?.secret) {
      const message = "not on the command line, which others can see: use the environment, or a file";
      layers.issues.push({ path, message });
      continue;
    }
    const value = fromText(keyOf(path)?.type ?? "text", pair.slice(at + 1));
    layers.set(path.split("."), value, "--set", options.cwd);
  }
}

function fromText(type: KeyType, text: string): unknown {
  if (type === "number") return text.trim() === "" || Number.isNaN(Number(text)) ? text : Number(text);
  if (type === "boolean") return { true: true, false: false }[text] ?? text;
  return type === "list" ? text.split(",").filter((part) => part !== "") : text;
}

function resolvePaths(config: Config, layers: Layers, home: string): Config {
  const resolved = structuredClone(config) as unknown as Tree;
  for (const { path, pathLike } of KEYS) {
    if (!pathLike) continue;
    const parts = path.split(".");
    const parent = valueAt(resolved, parts.slice(0, -1)) as Tree;
    const folder = layers.folders.get(path) ?? home;
    const value = parent[parts.at(-1)!];
    if (typeof value === "string") parent[parts.at(-1)!] = resolve(folder, value);
    if (Array.isArray(value)) parent[parts.at(-1)!] = value.map((each) => resolve(folder, String(each)));
  }
  return resolved as unknown as Config;
}

/** Whoever listens on the way reads the password and all rows. */
function inClear({ url = [], password }: Config["clickhouse"]): string[] {
  return url
    .filter((each) => password !== undefined && /^http:/i.test(each) && !isLoopbackUrl(each))
    .map((each) => `clickhouse.url: ${each} gets the password unencrypted; use https://`);
}

function readPassword(config: Config, issues: ConfigIssue[], warnings: string[]): Config {
  const { password, password_file } = config.clickhouse;
  if (password !== undefined || password_file === undefined) return config;
  const path = "clickhouse.password_file";
  try {
    const text = readFileSync(password_file, "utf8").replace(/\r?\n$/, "");
    if (text === "") issues.push({ path, message: `${password_file} is empty` });
    if (/\p{Cc}/u.test(text))
      issues.push({ path, message: `${password_file} holds more than one line of text` });
    if ((statSync(password_file).mode & OTHERS_READ) !== 0)
      warnings.push(`${path}: every user of this machine can read ${password_file}; chmod 600 it`);
    return { ...config, clickhouse: { ...config.clickhouse, password: text } };
  } catch (error) {
    issues.push({ path, message: `cannot read it: ${messageOf(error)}` });
    return config;
  }
}
