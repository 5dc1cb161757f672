import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { openPlace, startTables } from "./fixture.js";

const clickhouse = await startTables({ after });
const ROWS = 200_000;
const LINES: string[] = Array.from({ length: ROWS }, (_, i) => {
  const at = new Date(Date.UTC(2024, 4, 1) + i).toISOString();
  return `{"ts_exchange":"${at}","ts_local":"${at}","symbol":"K","kind":"quote","exchange_seq":${i + 1}}\n`;
});

async function storedRows(): Promise<number> {
  return Number(await clickhouse.text("SELECT count() FROM market_data WHERE symbol = 'K' FORMAT TSV"));
}

/** Records lines in a process of its own, which is killed once it has stored more than there was. */
async function recordAndKill(folder: string): Promise<void> {
  const { url, user, password } = clickhouse.options;
  const program = fileURLToPath(new URL("./ingest-child.js", import.meta.url));
  const child = spawn(process.execPath, [program, JSON.stringify({ url, user, password, folder })], {
    stdio: ["pipe", "inherit", "inherit"],
  });
  // The pipe breaks when the child is killed.
  child.stdin.on("error", () => {});
  const ended = once(child, "exit");
  const before = await storedRows();
  let next = 0;
  while ((await storedRows()) === before) {
    assert.equal(child.exitCode, null, "the child runs");
    for (const end = next + 2000; next < end && next < ROWS; next += 1) {
      if (!child.stdin.write(LINES[next])) await Promise.race([once(child.stdin, "drain"), ended]);
    }
  }
  assert.ok(next < ROWS, "it is killed in the middle");
  child.kill("SIGKILL");
  await ended;
}

test("runs killed with SIGKILL in the middle, then one to the end: every line is stored exactly once", async (t) => {
  const place = await openPlace(t, clickhouse);
  for (let round = 0; round < 2; round += 1) await recordAndKill(place.folder);
  const partly = await storedRows();
  assert.ok(partly > 0 && partly < ROWS, `${partly} rows were stored before`);
  const file = await place.write("all.ndjson", LINES.join(""));
  const report = await place.ingest({ table: "market_data", files: [file], sourceName: "killed" });
  assert.equal(report.stored + report.alreadyStored, ROWS);
  assert.ok(report.alreadyStored >= partly, "what was under way at the last kill has been waited for");
  const [found] = await clickhouse.rows(
    `SELECT count() AS rows, uniqExact(source_seq) AS lines, max(source_seq) AS last,
            countIf(source_seq != exchange_seq) AS astray FROM market_data WHERE source = 'killed'`,
  );
  assert.deepEqual(found, { rows: `${ROWS}`, lines: `${ROWS}`, last: `${ROWS}`, astray: "0" });
});
