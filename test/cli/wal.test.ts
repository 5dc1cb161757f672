import assert from "node:assert/strict";
import { appendFileSync, readdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { BlockBuilder } from "../../src/native/block.js";
import { nodeDisk } from "../../src/wal/disk.js";
import { inspectLog } from "../../src/wal/inspect.js";
import { FolderLock } from "../../src/wal/lock.js";
import { Log } from "../../src/wal/log.js";
import type { Place, RowsRecord } from "../../src/wal/records.js";
import { surveyLog } from "../../src/wal/survey.js";
import { verifyLog } from "../../src/wal/verify.js";
import { type CliRun, cli } from "../support/cli.js";
import { temporaryFolder } from "../support/folder.js";

const RUN = 18_446_744_073_709_551_615n;
const COLUMNS = [
  { name: "seq", type: "UInt64", required: true },
  { name: "symbol", type: "LowCardinality(String)", required: true },
  { name: "levels", type: "Map(String, Decimal(18, 8))", required: true },
];
const ROWS = 10;

/** A frame of {@link ROWS} orders, or of another table. */
function frame(index: number, table = "orders"): RowsRecord {
  const builder = new BlockBuilder(COLUMNS);
  const firstSeq = 1 + index * ROWS;
  for (let seq = firstSeq; seq < firstSeq + ROWS; seq += 1)
    builder.append({ seq, symbol: `S${seq}`, levels: { best: "61800.5" } }, {});
  const payload = builder.encode();
  return {
    kind: "rows",
    table,
    partition: "202611",
    run: RUN,
    firstSeq,
    count: ROWS,
    positions: [],
    group: 0n,
    payload,
  };
}

/** A log of three segments: nine frames of orders, three of trades; of orders the first 45 rows are stored. */
async function makeLog(t: unknown): Promise<{ dir: string; log: Log; places: ReadonlyMap<number, Place> }> {
  const dir = join(await temporaryFolder(t), "wal");
  const { log } = Log.open({ dir, segmentBytes: 2048, disk: nodeDisk, now: Date.now, reserveBytes: 0 });
  const places = new Map<number, Place>();
  for (let commit = 0; commit < 3; commit += 1) {
    for (let index = 0; index < 3; index += 1) log.append(frame(commit * 3 + index));
    log.append(frame(commit, "trades"));
    for (const { ordinal, place } of log.commit().places) places.set(ordinal, place);
  }
  const stored = [{ first: 1, last: 45 }];
  log.saveCursor({ logId: log.id, upTo: 5, tables: [{ table: "orders", run: RUN, stored, skipped: [] }] });
  return { dir, log, places };
}

async function wal(dir: string, ...args: string[]): Promise<CliRun & { json: Record<string, unknown> }> {
  const run = await cli(["--json", "wal", ...args, "--dir", dir], dir);
  return { ...run, json: JSON.parse(run.stdout || run.stderr) };
}

function segmentFile(dir: string, segment: number): string {
  return join(dir, `0000000${segment}.wal`);
}

describe("coldpath wal, looking only,", { concurrency: true }, () => {
  test("of a log that a recorder holds lists segments, rows and what is pending, and shows records with their rows; purge names who holds it", async (t) => {
    const { dir, log } = await makeLog(t);
    const lock = await FolderLock.take(dir);
    const [ls, text, rows, purge] = await Promise.all([
      wal(dir, "ls"),
      cli(["wal", "ls", "--dir", dir], dir),
      wal(dir, "inspect", "--table", "orders", "--seq", "25", "--rows"),
      cli(["--json", "--set", "admin.listen=127.0.0.1:2", "wal", "purge", "--force", "--dir", dir], dir),
    ]);
    await lock.release();
    log.close();
    assert.equal(ls.code, 0, ls.stderr);
    const { segments, tables, pending, cursor, damage, torn } = ls.json as Record<
      string,
      Record<string, unknown>[]
    >;
    assert.deepEqual(
      segments!.map(({ segment, state, rows, pending }) => [segment, state, rows, pending]),
      [
        [1, "closed", 40, 10],
        [2, "closed", 40, 25],
        [3, "open", 40, 40],
      ],
    );
    assert.deepEqual(tables, [
      { table: "orders", run: String(RUN), rows: 90, pending: 45 },
      { table: "trades", run: String(RUN), rows: 30, pending: 30 },
    ]);
    assert.deepEqual(
      { pending, cursor, damage, torn },
      { pending: 75, cursor: { upTo: 5 }, damage: [], torn: [] },
    );
    assert.match(text.stdout, /75 rows are pending, the oldest in segment 1, made 20/);

    const { total, records } = rows.json as { total: number; records: Record<string, unknown>[] };
    assert.equal(total, 1);
    assert.equal(records[0]!["ordinal"], 3);
    const values = records[0]!["values"] as unknown[];
    assert.deepEqual(values, [{ seq: "25", symbol: "S25", levels: { best: "61800.5" } }]);

    assert.equal(purge.code, 1);
    assert.match(
      purge.stderr,
      /WAL_LOCKED.*held by process \d+, since \d{4}-\d\d-\d\dT[\d:.]+Z, and no service of this configuration answers: stop that recorder first/,
    );
  });

  test("inspect refuses numbers of rows the wrong way round", async (t) => {
    const { dir, log } = await makeLog(t);
    log.close();
    const { code, stderr } = await wal(dir, "inspect", "--seq", "20-10");
    assert.equal(code, 2);
    assert.match(stderr, /did you mean 10-20\?/);
  });

  test("verify tells each damaged place with the rows it costs, and exits 1", async (t) => {
    const { dir, log, places } = await makeLog(t);
    log.close();
    const sound = await verifyLog(dir, () => {});
    assert.deepEqual(sound, { segments: 3, bytes: sound.bytes, records: 12, damage: [], torn: [] });
    for (const ordinal of [2, 8]) {
      const { segment, offset, length } = places.get(ordinal)!;
      const bytes = readFileSync(segmentFile(dir, segment));
      bytes[offset + length - 20]! ^= 1;
      writeFileSync(segmentFile(dir, segment), bytes);
    }
    const { code, json } = await wal(dir, "verify");
    assert.equal(code, 1);
    const found = json["damage"] as Record<string, unknown>[];
    assert.deepEqual(
      found.map(({ reason: _, kind: __, bytes: ___, ...place }) => place),
      [2, 8].map((ordinal) => {
        const { segment, offset } = places.get(ordinal)!;
        const table = ordinal === 2 ? "orders" : "trades";
        const pending = ordinal === 2 ? 0 : ROWS;
        return { segment, offset, table, run: String(RUN), firstSeq: 11, rows: ROWS, pending };
      }),
    );
    const { records } = inspectLog(dir, { segment: 1 }, { limit: 9, rows: true });
    assert.deepEqual(
      records.map(({ rows, unreadable }) => rows?.length ?? unreadable?.split(": ")[1]),
      [ROWS, "the payload's checksum does not hold", ROWS, ROWS],
    );
  });
});

describe("coldpath wal, alone on a log,", { concurrency: true }, () => {
  test("repair puts a torn end aside and closes the segment, once; a dry run changes nothing", async (t) => {
    const { dir, log, places } = await makeLog(t);
    // As after a kill: the last segment has no end, and half a record.
    const last = Math.max(...places.keys());
    const { segment, offset, length } = places.get(last)!;
    assert.equal(segment, 3);
    log.close();
    truncateSync(segmentFile(dir, 3), offset + length);
    appendFileSync(segmentFile(dir, 3), "half a record");
    const files = readdirSync(dir);
    const dry = await wal(dir, "repair", "--dry-run");
    assert.deepEqual(readdirSync(dir), files);
    const done = await wal(dir, "repair");
    assert.equal(done.code, 0, done.stderr);
    for (const { json, dryRun } of [
      { json: dry.json, dryRun: true },
      { json: done.json, dryRun: false },
    ]) {
      const torn = json["torn"] as Record<string, unknown>[];
      assert.deepEqual({ ...json, torn: torn.length }, { dryRun, closed: [3], damage: [], torn: 1 });
      assert.equal(torn[0]!["offset"], offset + length);
    }
    const [kept] = readdirSync(join(dir, "quarantine"));
    assert.match(readFileSync(join(dir, "quarantine", kept!), "latin1"), /^half a record/);
    assert(surveyLog(dir).segments.every(({ closed }) => closed));
  });

  test("purge refuses rows that are not known to be stored, says which, and removes them only by force", async (t) => {
    const { dir, log } = await makeLog(t);
    const stored = [{ first: 1, last: 30 }];
    const tables = ["orders", "trades"].map((table) => ({ table, run: RUN, stored, skipped: [] }));
    log.saveCursor({ logId: log.id, upTo: 12, tables: tables.slice(0, 2) });
    log.close();
    const refused = await cli(["wal", "purge", "--dir", dir], dir);
    assert.equal(refused.code, 1);
    assert.match(refused.stdout, /^removed: 1 segment, \d+ bytes$/m);
    assert.match(refused.stdout, /refused: 60 rows not known to be stored: 60 of orders/);
    assert.deepEqual(segmentsOf(dir), ["00000002.wal", "00000003.wal"]);
    const forced = await wal(dir, "purge", "--force");
    assert.equal(forced.code, 0, forced.stderr);
    assert.deepEqual(forced.json["pending"], [{ table: "orders", pending: 60 }]);
    assert.deepEqual(surveyLog(dir).tables, []);
  });

  test("purge makes no log of a folder that is none", async (t) => {
    const dir = join(await temporaryFolder(t), "else");
    await mkdir(dir);
    const run = await wal(dir, "purge");
    assert.equal(run.code, 1);
    assert.match(run.stderr, /WAL_ABSENT.*there is no log in/);
    assert.deepEqual(readdirSync(dir), []);
  });
});

function segmentsOf(dir: string): string[] {
  return readdirSync(dir).filter((name) => name.endsWith(".wal"));
}
