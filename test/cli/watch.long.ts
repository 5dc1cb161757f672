import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { CliProcess } from "../support/cli.js";
import { FaultProxy } from "../support/fault-proxy.js";
import { temporaryFolder } from "../support/folder.js";
import { startMigratedEngine } from "../support/migrated.js";
import { absent, Terminal } from "../support/terminal.js";
import { until } from "../support/until.js";

const skip = absent("tmux", "-V");
const PROGRAM = fileURLToPath(new URL("../../src/cli/main.js", import.meta.url));

interface Watched {
  readonly proxy: FaultProxy;
  readonly serve: () => Promise<CliProcess>;
  /** A shell, in whose terminal the view comes up when `watch` is typed. */
  readonly terminal: Terminal;
}

/** A simulated market whose ClickHouse can be taken away, and a terminal to watch it in. */
async function startWatched(t: TestContext, env: Readonly<Record<string, string>> = {}): Promise<Watched> {
  const { engine } = await startMigratedEngine(t);
  const proxy = await FaultProxy.start(t, engine.url);
  const cwd = await temporaryFolder(t);
  const given = ["--set", `clickhouse.url=${proxy.url}`, "--set", "admin.listen=127.0.0.1:0"];
  const serve = async (): Promise<CliProcess> => {
    const running = new CliProcess([...given, "demo"], cwd, {
      COLDPATH_CLICKHOUSE_PASSWORD: engine.password,
    });
    t.after(() => running.child.kill("SIGKILL"));
    await running.printed(/status\s+http/);
    return running;
  };
  const terminal = await Terminal.start(t, ["bash", "--norc", "--noprofile"], {
    cwd,
    env: { LANG: "C.UTF-8", ...env },
  });
  const command = [process.execPath, PROGRAM, ...given, "status", "--watch"].join(" ");
  terminal.keys(`PS1='> '; watch() { ${command}; echo ended $?; }; clear; echo before`, "Enter");
  await terminal.shows(/^before$/m);
  terminal.keys("watch", "Enter");
  return { proxy, serve, terminal };
}

function fits(screen: string, columns: number, rows: number): void {
  const lines = screen.replace(/\n$/, "").split("\n");
  assert.equal(lines.length, rows);
  for (const line of lines) assert.ok([...line].length <= columns, line);
}

test("in an 80×24 terminal status --watch shows a service come, its ClickHouse go and come back, and the service go", {
  skip,
}, async (t) => {
  const { proxy, serve, terminal } = await startWatched(t);
  await terminal.shows(/NO ANSWER.*nobody listens(.|\n)*start one with coldpath serve/);
  const service = await serve();
  fits(await terminal.shows(/^ClickHouse ● up for /m), 80, 24);
  fits(await terminal.shows(/^market_data +[█░]+ +\d+% +[1-9][\d,]* +[1-9]/m), 80, 24);

  await proxy.refuse();
  fits(await terminal.shows(/^ClickHouse ● DOWN for .*\n? *.*refused/m), 80, 24);
  await terminal.shows(/^log .* [1-9][\d,]* rows/m);
  await terminal.shows(/^events\n\d\d:\d\d:\d\d (info|warn|error) /m);

  terminal.resize(200, 50);
  fits(await terminal.shows(/^table .* refused +letters .* step$/m), 200, 50);
  await proxy.accept();
  await terminal.shows(/^ClickHouse ● up for /m);
  await terminal.shows(/^log .* nothing pending| [1-9]\d{0,2} rows/m);
  terminal.resize(80, 24);
  await until("the narrow view again", () => !/refused +letters/.test(terminal.screen()));
  fits(terminal.screen(), 80, 24);

  await service.stop();
  await terminal.shows(/^recorder +● NO ANSWER for (.|\n)*^market_data /m);
  await serve();
  await until("the service on its new port", () => !/NO ANSWER/.test(terminal.screen()));
});

test("q, Ctrl-C, SIGTERM and SIGHUP end status --watch and leave the terminal as it was", {
  skip,
}, async (t) => {
  const { terminal } = await startWatched(t);
  for (const end of ["q", "C-c", "SIGTERM", "SIGHUP"] as const) {
    await terminal.shows(/NO ANSWER/);
    assert.deepEqual([terminal.isAlternate, terminal.hasCursor], [true, false]);
    if (end.startsWith("SIG")) process.kill(terminal.foreground, end as NodeJS.Signals);
    else terminal.keys(end);
    const screen = await terminal.shows(/^ended 0\n>/m);
    assert.match(screen, /^before$/m, "what was there is there again");
    assert.deepEqual([terminal.isAlternate, terminal.hasCursor], [false, true], end);
    terminal.keys("clear; stty -a | tr ' ' '\\n' | grep -cx -e echo -e icanon -e isig; echo before", "Enter");
    await terminal.shows(/^3\nbefore$/m);
    terminal.keys("watch", "Enter");
  }
});

test("colours come on a terminal, and not with NO_COLOR", { skip }, async (t) => {
  const { terminal } = await startWatched(t);
  await terminal.shows(/NO ANSWER/);
  assert.ok(terminal.screen({ colours: true }).includes("\u001b[31m● NO ANSWER"));
  const { terminal: plain } = await startWatched(t, { NO_COLOR: "1" });
  await plain.shows(/NO ANSWER/);
  assert.ok(!plain.screen({ colours: true }).includes("\u001b[3"));
});
