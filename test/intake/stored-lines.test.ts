import assert from "node:assert/strict";
import { after, test } from "node:test";
import fc from "fast-check";
import { ClickHouse } from "../../src/clickhouse/client.js";
import { StoredLines } from "../../src/intake/stored-lines.js";
import { readTable } from "../../src/schemas/introspect.js";
import { asReplica } from "../sink/rig.js";
import { FaultProxy } from "../support/fault-proxy.js";
import { startTables } from "./fixture.js";

const clickhouse = await startTables({ after });
const table = await readTable(clickhouse, "market_data");
const { signal } = new AbortController();

async function store(source: string, lines: readonly number[]): Promise<void> {
  if (lines.length === 0) return;
  await clickhouse.command(
    `INSERT INTO market_data (ts_exchange, ts_local, symbol, kind, env, recorder, run, seq, source, source_seq)
     SELECT now64(9), now64(9), 'S', 'quote', 'test', 'test', 1, line, '${source}', line
     FROM (SELECT arrayJoin([${lines}]) AS line)`,
  );
}

test("exactly the lines that are stored are known, however many windows they lie in", async () => {
  const stored = [
    [],
    [1],
    [7, 8, 9],
    [10, 11, 20, 21, 30],
    Array.from({ length: 60 }, (_, i) => i + 1),
    // A line stored twice, which nothing here makes but a table may hold.
    [5, 5, 6],
  ];
  const [random] = fc.sample(fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 60 }), {
    numRuns: 1,
    seed: 77,
  });
  for (const [i, lines] of [...stored, random!].entries()) {
    const source = `windows'${i}\\`;
    await store(source.replaceAll("\\", "\\\\").replaceAll("'", "\\'"), lines);
    for (const [windowLines, step] of [
      [10, 1],
      [10, 7],
      [7, 25],
      [1000, 64],
    ] as const) {
      const known = await StoredLines.open({ clickhouse, table, source, signal, windowLines });
      const found: number[] = [];
      for (let first = 1; first <= 64; first += step) {
        const last = first + step - 1;
        await known.learn(first, last);
        for (let line = first; line <= last; line += 1) if (known.has(line)) found.push(line);
      }
      assert.deepEqual(
        found,
        [...new Set(lines)].sort((a, b) => a - b),
        `${lines} by ${windowLines} and ${step}`,
      );
    }
  }
});

test("an INSERT under way is waited for before anything is asked", async () => {
  const slow = store("slow", []);
  const inserting = clickhouse.command(
    `INSERT INTO market_data (ts_exchange, ts_local, symbol, kind, env, recorder, run, seq, source, source_seq)
     SELECT now64(9), now64(9), 'S', 'quote', 'test', 'test', 1, number + sleepEachRow(0.05), 'slow', number + 1
     FROM numbers(20) SETTINGS max_block_size = 1, function_sleep_max_microseconds_per_block = 0`,
  );
  await slow;
  for (;;) {
    const text = await clickhouse.text(
      "SELECT count() FROM system.processes WHERE query_kind = 'Insert' FORMAT TSV",
    );
    if (text.trim() === "1") break;
  }
  const known = await StoredLines.open({ clickhouse, table, source: "slow", signal });
  await known.learn(1, 20);
  assert.deepEqual(
    Array.from({ length: 20 }, (_, i) => known.has(i + 1)),
    Array(20).fill(true),
  );
  await inserting;
});

test("on a replica set, the one that is asked has fetched what the others have, and INSERTs end on all of them", async (t) => {
  const { url, ...options } = clickhouse.options;
  const [away, asked] = [await FaultProxy.start(t, url as string), await FaultProxy.start(t, url as string)];
  let left = 3;
  away.retell = (answer, seen) => {
    if (!seen.sql.includes("system.processes") || left-- <= 0) return asReplica(answer, seen);
    return { ...answer, body: Buffer.from('{"query_id":"of a run that was killed"}\n') };
  };
  // One address in front of two replicas, now and then.
  let turn = 0;
  asked.retell = (answer, seen) => {
    const told = asReplica(answer, seen);
    turn += 1;
    const name = turn % 5 === 0 ? "another" : "one";
    return { ...told, headers: { ...told.headers, "x-clickhouse-server-display-name": name } };
  };
  const through = new ClickHouse({ ...options, url: [asked.url, away.url] });
  t.after(() => through.close());
  await store("replicas", [1, 2, 3, 40]);
  const known = await StoredLines.open({
    clickhouse: through,
    table: { ...table, replicated: true },
    source: "replicas",
    signal,
    windowLines: 20,
  });
  await known.learn(1, 40);
  assert.deepEqual(
    [1, 2, 3, 4, 40].filter((line) => known.has(line)),
    [1, 2, 3, 40],
  );
  assert.equal(left, -1, "asked until that INSERT had ended");
  let isFetched = false;
  for (const { sql } of asked.requests) {
    if (sql.startsWith("SYSTEM SYNC REPLICA")) isFetched = true;
    else if (sql.includes("source = 'replicas'")) assert.ok(isFetched, sql);
    else isFetched = false;
  }
});
