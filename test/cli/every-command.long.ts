import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, test } from "node:test";
import type { Command } from "commander";
import type { StatusReport } from "../../src/admin/status-report.js";
import { buildProgram } from "../../src/cli/program.js";
import { CliProcess, type CliRun, cli } from "../support/cli.js";
import { temporaryFolder } from "../support/folder.js";
import { layMigrated } from "../support/migrated.js";
import { wordsOf } from "../support/tour.js";
import { until } from "../support/until.js";
import { promised } from "./cli-json.js";

/** With COLDPATH_TEST_WRITE_SAMPLES=1 the samples become what is printed now: read the difference before it is committed. */
const WRITES = process.env["COLDPATH_TEST_WRITE_SAMPLES"] === "1";
const SAMPLES = join(process.cwd(), "test", "cli", "samples");

const cwd = await temporaryFolder({});
await layMigrated(join(cwd, "data", "clickhouse"));
const ORDER = {
  ts: "2026-11-20T09:30:00Z",
  strategy: "s",
  symbol: "X",
  side: "buy",
  qty: "1.5",
  status: "new",
};
await writeFile(
  join(cwd, "orders.ndjson"),
  [1, 2].map((id) => JSON.stringify({ ...ORDER, client_order_id: `file-${id}` })).join("\n"),
);
const SERVE = [
  "serve",
  "--set",
  "admin.listen=127.0.0.1:0",
  "--set",
  "recorder.id=desk-1",
  "--set",
  "tables.orders.flush.age=1m",
];
const serve = new CliProcess(SERVE, cwd);
after(() => serve.child.kill("SIGKILL"));
const [, admin] = await serve.printed(/status\s+(http:\/\/\S+?)\//);
await serve.printed(/Ctrl-C stores/);
const token = (await readFile(join(cwd, "data", "admin-token"), "utf8")).trim();

const ran = new Set<string>();

/** What differs from run to run, and the widths that come of it. */
function masked(output: string): string {
  return (
    output
      .replaceAll(cwd, "FOLDER")
      .replace(/http:\/\/127\.0\.0\.1:\d+/g, "http://HOST:PORT")
      .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "TIME")
      .replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, "UUID")
      .replace(/\b[0-9a-f]{16,64}\b/g, "HEX")
      .replace(/\b\d{15,20}\b/g, "RUN")
      .replace(/[\d.,]+(?= (MiB|GiB|bytes|rows\/s|s\b))/g, "N")
      .replace(/process \d+/g, "process N")
      .replace(/^(orders\.ndjson .*) [\d,]+$/gm, "$1 N")
      .replace(/\d+%/g, "N%")
      .replace(/; at this rate full in .*/g, "")
      // What the service writes down of itself depends on the moment.
      .replace(/^(system_events|memory|log) .*/gm, (line) => line.replace(/\d[\d,.]*/g, "N"))
      .replace(/ +/g, " ")
      .replace(/ $/gm, "")
  );
}

function name(line: string): string {
  const [, ...words] = wordsOf(line);
  if (words[0] === "--set") words.splice(0, 2);
  return words.slice(0, /^(wal|dead-letter|config)$/.test(words[0]!) ? 2 : 1).join(" ");
}

/** For output of which each number depends on the moment. */
function withoutNumbers(text: string): string {
  return text.replace(/(?<=^| )\d[\d,.–-]*(?= |$)/gm, "N");
}

/** Holds what was printed for people against its sample. @param shown what of it does not change with other parts of the program */
function compare(sample: string, line: string, { code, stdout, stderr }: CliRun, shown = /^/): void {
  const lines = masked(stdout + stderr)
    .split("\n")
    .filter((each) => shown.test(each));
  const printed = lines.join("\n").trimEnd();
  const text = `$ ${line}\n${/^wal/.test(sample) ? withoutNumbers(printed) : printed}\nexit ${code}\n`;
  const file = join(SAMPLES, `${sample}.txt`);
  if (WRITES) writeFileSync(file, text);
  assert.equal(text, readFileSync(file, "utf8"), file);
}

/** Runs a command for people and for programs. */
async function both(
  line: string,
  { sample = name(line).replaceAll(" ", "-"), shown = /^/, wide = false, expected = 0 } = {},
): Promise<void> {
  const [, ...words] = wordsOf(line);
  const run = (...more: string[]): Promise<CliRun> => cli([...more, ...words], cwd);
  // What changes something has another effect the second time.
  const [text, json] = wide ? await Promise.all([run(), run("--json")]) : [await run(), await run("--json")];
  compare(sample, line, text, shown);
  assert.equal(json.code, expected, `${line} --json: ${json.stderr}`);
  if (json.stdout !== "") promised(name(line), json.stdout);
  else promised("error", json.stderr);
  ran.add(name(line));
}

/** No row of the service waits. */
async function settled(): Promise<void> {
  await until("all rows to be stored", async () => {
    const { tables } = (await (await fetch(`${admin}/api/status`)).json()) as StatusReport;
    return Object.values(tables).every(({ pending }) => pending.rows === 0);
  });
}

test("beside a running service every command that may says what its sample and its schema say", async () => {
  const body = [3, 4, 5].map((id) => JSON.stringify({ ...ORDER, client_order_id: `http-${id}` }));
  const answer = await fetch(`${admin}/v1/ingest/orders`, {
    method: "POST",
    headers: { "content-type": "application/x-ndjson", authorization: `Bearer ${token}` },
    body: [...body, '{"ts":1}'].join("\n"),
  });
  assert.equal(answer.status, 200);
  const wide = { wide: true };
  await both("coldpath flush orders");
  // Each of these is written down as a row of system_events.
  await settled();
  await both("coldpath replay");
  await settled();
  await both("coldpath replay --wait", { sample: "replay-wait" });
  await until("rates to be still", async () => {
    const status = (await (await fetch(`${admin}/api/status`)).json()) as StatusReport;
    return Object.values(status.tables).every(({ perSecond }) => perSecond.stored === 0);
  });
  await both("coldpath status", wide);
  await both("coldpath wal ls", wide);
  await both("coldpath wal inspect --table orders --limit 2", { ...wide, shown: /^(?!\d+ more)/ });
  await both("coldpath wal verify", { ...wide, shown: /^no damage|exit/ });
  await both("coldpath wal repair");
  await both("coldpath dead-letter ls", wide);
  await both("coldpath dead-letter show --table orders", wide);
  await both("coldpath dead-letter retry --all", { expected: 1 });
  await both("coldpath config check", wide);
  await both("coldpath --set recorder.id=desk-1 config show", { ...wide, shown: /^(key|recorder\.)/ });
  await both("coldpath ingest orders.ndjson --table orders");
  await both('coldpath query "SELECT client_order_id, qty FROM orders ORDER BY client_order_id"', wide);
  await both("coldpath reload");
  await both("coldpath migrate");
  await both("coldpath migrate --print-grants", { sample: "migrate-print-grants", shown: /ROLE/ });
  await both("coldpath completion fish", { ...wide, shown: /^#/ });
  await both("coldpath db", { expected: 1 });
});

test("serve tells at its end what became of every row, and a demo does", async () => {
  const stopped = await serve.stop();
  compare("serve", "coldpath serve", { ...stopped, stderr: stopped.stderr.replace(/^\{.*\n/gm, "") });
  ran.add("serve");
  const again = new CliProcess(["--json", ...SERVE], cwd);
  await until(
    "the start",
    () => again.stderr.includes("service_started") || again.stderr.includes("wal_recovered"),
  );
  const { stdout, stderr } = await again.stop();
  promised("serve", stdout === "" ? stderr : stdout);
  const line = ["demo", "--duration", "1s", "--set", "admin.listen=127.0.0.1:0"];
  const demo = await cli(["--json", ...line], cwd);
  promised("demo", demo.stdout);
  ran.add("demo");
});

test("without a service commands look at the files where that is safe", async () => {
  await both("coldpath status", { sample: "status-absent", expected: 1 });
  await both("coldpath flush", { sample: "flush-absent", expected: 1 });
  await both("coldpath wal repair --dry-run", {
    sample: "wal-repair-dry-run",
    shown: /^(nothing|would|exit)/,
  });
  await both("coldpath wal purge");
  await both("coldpath wal replay --dir data/wal");
  await both("coldpath replay", { sample: "replay-absent" });
  await both("coldpath dead-letter drop --all", { sample: "dead-letter-drop-refused", expected: 2 });
  await both("coldpath dead-letter drop --all --force");
  await both("coldpath dead-letter ls", { sample: "dead-letter-ls-none" });
  const first = await cli(["init", "first"], cwd);
  compare("init", "coldpath init first", first);
  promised("init", (await cli(["--json", "init", "second"], cwd)).stdout);
  ran.add("init");
});

test("db says in JSON where it is", async () => {
  const db = new CliProcess(["--json", "db", "--listen", "127.0.0.1:0"], cwd);
  await db.printed(/\}\n/);
  promised("db", db.stdout);
  assert.equal((await db.stop()).code, 0);
});

test("no command is left out", async () => {
  const leaves = (command: Command, path: readonly string[]): string[] =>
    command.commands.length === 0
      ? [path.join(" ")]
      : command.commands.flatMap((each) => leaves(each, [...path, each.name()]));
  assert.deepEqual([...ran].sort(), leaves(await buildProgram(), []).sort());
});
