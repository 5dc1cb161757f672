import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { StatusReport } from "../../src/admin/status-report.js";
import { CliProcess } from "../support/cli.js";
import { temporaryFolder } from "../support/folder.js";
import { layMigrated } from "../support/migrated.js";
import { randomOf } from "../support/random.js";
import { until } from "../support/until.js";
import { type Answers, babble, Crowd, dawdle, pester, type Victim } from "./abusers.js";

export interface AbuseOptions {
  /** Market events that the service records by itself, a second. */
  readonly rate: number;
  readonly seconds: number;
  readonly readers: number;
  readonly dawdlers: number;
}

export interface AbuseReport {
  readonly answers: Answers;
  /** Connections that were cut off for their slow headers. */
  readonly cut: number;
  /** Seconds that the reader who was told least was told of. */
  readonly least: number;
  /** Resident memory of the service, MiB, second by second. */
  readonly memory: readonly number[];
  /** Rows offered a second, and what they were in the seconds before anybody came. */
  readonly offered: number;
  readonly calm: number;
  /** Whether the machine had no time for these rows even then: rows were left out. */
  readonly isBusy: boolean;
  readonly before: StatusReport;
  readonly after: StatusReport;
}

const MIB = 1 << 20;
const CALM_MS = 5000;

/** Everything at once against a service that records, in a process of its own. */
export async function abuse(t: TestContext, options: AbuseOptions): Promise<AbuseReport> {
  const folder = await temporaryFolder(t);
  const data = join(folder, "data");
  await layMigrated(join(data, "clickhouse"));
  const set = [
    `data_dir=${data}`,
    "admin.listen=127.0.0.1:0",
    "intake.http.max_body=1MiB",
    "log.level=error",
  ];
  const service = new CliProcess(
    ["demo", "--rate", `${options.rate}`, ...set.flatMap((each) => ["--set", each])],
    folder,
  );
  t.after(() => service.stop());
  const [, url] = (await service.printed(/status\s+(http:\S+?)\/\n/)) as unknown as [string, string];
  const token = readFileSync(join(data, "admin-token"), "utf8").trim();
  // As the operator: a guest's connection may have to make room for all those others.
  const headers = { authorization: `Bearer ${token}` };
  const status = async (): Promise<StatusReport> =>
    (await (await fetch(`${url}/api/status`, { headers })).json()) as StatusReport;
  await until("rows land", async () => (await status()).tables["market_data"]!.stored > 0);

  const first = await status();
  await delay(CALM_MS);
  const calmed = await status();
  const calm = offeredOf(first, calmed);
  const isBusy = Object.values(calmed.tables).some(
    ({ dropped, level }) => Object.keys(dropped).length > 0 || level.index > 0,
  );

  const over = new AbortController();
  const victim: Victim = {
    url,
    token,
    random: randomOf(t),
    signal: over.signal,
    tooLarge: 2 * MIB,
  };
  const crowd = new Crowd();
  t.after(() => {
    over.abort();
    crowd.leave();
  });
  await crowd.join(url, options.readers);
  const before = await status();
  const answers: Answers = {};
  const abusers = [pester(victim, answers), babble(victim), dawdle(victim, options.dawdlers)] as const;
  const memory: number[] = [];
  for (let second = 0; second < options.seconds; second += 1) {
    await delay(1000);
    memory.push(residentMib(service.child.pid!));
    assert.equal(service.child.exitCode, null, service.stderr);
  }
  const after = await status();
  over.abort();
  const [, , cut] = await Promise.all(abusers);
  const { least } = crowd;
  crowd.leave();
  return { answers, cut, least, memory, offered: offeredOf(before, after), calm, isBusy, before, after };
}

/** What must hold however hard it is pressed: nothing refused or dropped, every row counted once, all answers as described. */
export function requireUnharmed({ answers, before, after }: AbuseReport): void {
  for (const [name, table] of Object.entries(after.tables)) {
    assert.deepEqual([name, table.refused, table.dropped], [name, {}, {}]);
    assert.ok(table.conservation.holds, `rows of ${name} do not add up`);
  }
  assert.equal(after.link.state, "up");
  assert.ok(sumOf(after, "stored") > sumOf(before, "stored"), "rows go on to be stored");
  const expected: Readonly<Record<string, readonly number[]>> = {
    "wrong token": [401, 429],
    "no token": [401],
    "no token, a body": [401, 0],
    "large body": [413, 0],
    "large question": [413, 0],
    "foreign origin": [403],
    "foreign host": [403],
    "cross site": [403],
    "no such route": [404],
  };
  assert.deepEqual(Object.keys(answers), Object.keys(expected));
  for (const [name, seen] of Object.entries(answers))
    for (const code of Object.keys(seen))
      assert.ok(expected[name]!.includes(Number(code)), `${name} was answered ${code}`);
}

function sumOf({ tables }: StatusReport, count: "offered" | "stored"): number {
  return Object.values(tables).reduce((sum, table) => sum + table[count], 0);
}

function offeredOf(from: StatusReport, to: StatusReport): number {
  return (sumOf(to, "offered") - sumOf(from, "offered")) / (to.at - from.at);
}

function residentMib(pid: number): number {
  const [, kib] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))!;
  return Number(kib) / 1024;
}
