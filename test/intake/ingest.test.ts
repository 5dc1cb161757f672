import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, test } from "node:test";
import { gzipSync } from "node:zlib";
import { openPlace, startTables } from "./fixture.js";

const clickhouse = await startTables({ after });

/** A line of NDJSON for market_data. */
function tick(symbol: string, second: number, more = ""): string {
  const at = new Date(Date.UTC(2024, 4, 1, 0, 0, second)).toISOString();
  return `{"ts_exchange":"${at}","ts_local":"${at}","symbol":"${symbol}","kind":"quote"${more}}`;
}

function ticks(symbol: string, count: number): string {
  return Array.from({ length: count }, (_, i) => `${tick(symbol, i)}\n`).join("");
}

async function linesOf(symbol: string): Promise<number[]> {
  const rows = await clickhouse.rows<{ line: string }>(
    `SELECT source_seq AS line FROM market_data WHERE symbol = '${symbol}' ORDER BY line`,
  );
  return rows.map(({ line }) => Number(line));
}

function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i + 1);
}

test("a row's identity is its file, by name and beginning, and its line", async (t) => {
  const place = await openPlace(t, clickhouse);
  const file = await place.write("ids.ndjson", `\n${tick("IDS", 1)}\r\n \t\r\n${tick("IDS", 2)}`);
  const report = await place.ingest({ table: "market_data", files: [file] });
  assert.deepEqual([report.rows, report.stored, report.rejected, report.lost], [2, 2, 0, 0]);
  const { source } = report.files[0]!;
  assert.match(source, /^ids\.ndjson#[0-9a-f]{12}$/);
  const rows = await clickhouse.rows(
    "SELECT source, source_seq FROM market_data WHERE symbol = 'IDS' ORDER BY source_seq",
  );
  assert.deepEqual(rows, [
    { source, source_seq: "2" },
    { source, source_seq: "4" },
  ]);
});

test("a second run stores nothing twice, compressed or not; other content of that name is stored", async (t) => {
  const place = await openPlace(t, clickhouse);
  const plain = await place.write("twice.ndjson", ticks("TWICE", 100));
  const packed = await place.write("twice.ndjson.gz", gzipSync(ticks("TWICE", 100)));
  const report = await place.ingest({ table: "market_data", files: [plain, plain, packed] });
  assert.deepEqual(
    report.files.map(({ stored, alreadyStored }) => [stored, alreadyStored]),
    [
      [100, 0],
      [0, 100],
      [0, 100],
    ],
  );
  await place.write("twice.ndjson", `${ticks("TWICE", 100)}${tick("TWICE", 100)}\n`);
  const longer = await place.ingest({ table: "market_data", files: [plain] });
  assert.deepEqual([longer.stored, longer.alreadyStored], [1, 100]);
  await place.write("twice.ndjson", ticks("OTHER", 50));
  const other = await place.ingest({ table: "market_data", files: [plain] });
  assert.deepEqual([other.stored, other.alreadyStored], [50, 0]);
  assert.deepEqual(await linesOf("TWICE"), upTo(101));
});

test("a file whose lines are stored with other values is refused by line and column, and --source takes it", async (t) => {
  const place = await openPlace(t, clickhouse);
  const head = ticks("SAME", 150);
  const write = (last: string): Promise<string> => place.write("same.ndjson", head + last);
  const first = await place.ingest({ table: "market_data", files: [await write(tick("SAME", 500))] });
  assert.equal(first.stored, 151);
  for (const [last, why] of [
    [tick("OTHER", 500), "column symbol has another value"],
    [tick("SAME", 501), "column ts_exchange has another value"],
    [tick("SAME", 500, ',"bid_px1":"1.5"'), "column bid_px1 has another value"],
    [tick("SAME", 500, ',"bid_px1":"x"'), "column bid_px1 has another value"],
    ["{", "is broken JSON"],
  ] as const) {
    const file = await write(`${last}\n${tick("SAME", 502)}\n`);
    const [report] = (await place.ingest({ table: "market_data", files: [file] })).files;
    assert.equal(report!.error?.code, "INPUT_REJECTED");
    assert.match(
      report!.error!.message,
      new RegExp(`line 151 is stored already .* but ${why}: .*--source NAME`),
    );
    assert.deepEqual([report!.rows, report!.stored], [150, 0]);
  }
  const other = await write(`${tick("OTHER", 500)}\n`);
  const named = await place.ingest({ table: "market_data", files: [other], sourceName: "same again" });
  assert.deepEqual([named.stored, named.files[0]!.error], [151, undefined]);
});

test("values of every kind are the same when they are read again, from CSV or NDJSON", async (t) => {
  const place = await openPlace(t, clickhouse);
  const more = [
    ',"bid_px1":"-1.00000001","bid_sz1":0,"exchange_seq":18446744073709551615,"venue":"\\"\u00fc\\\\\\u0000"',
    ',"bid_px1":null,"trade_side":"buy"',
    ',"venue":""',
  ];
  const text = more.map((each, i) => `${tick("KINDS", i, each)}\n`).join("");
  const file = await place.write("kinds.ndjson", text);
  const count = async (): Promise<number[]> => {
    const { stored, alreadyStored, rejected } = await place.ingest({ table: "market_data", files: [file] });
    return [stored, alreadyStored, rejected];
  };
  const [stored, , rejected] = await count();
  assert.equal(stored! + rejected!, 3);
  assert.ok(stored! >= 2);
  assert.deepEqual(await count(), [0, stored, rejected]);
});

test("lines that are missing in between are stored by a second run, and only those", async (t) => {
  const place = await openPlace(t, clickhouse);
  const file = await place.write("holes.ndjson", ticks("HOLES", 60));
  const { files } = await place.ingest({ table: "market_data", files: [file] });
  await clickhouse.command(
    `DELETE FROM market_data WHERE source = '${files[0]!.source}' AND (source_seq IN (1, 60) OR source_seq % 7 = 0)`,
  );
  assert.equal((await linesOf("HOLES")).length, 50);
  const again = await place.ingest({ table: "market_data", files: [file] });
  assert.deepEqual([again.stored, again.alreadyStored], [10, 50]);
  assert.deepEqual(await linesOf("HOLES"), upTo(60));
});

test("--source names the rows; several files keep their names below it", async (t) => {
  const place = await openPlace(t, clickhouse);
  const one = await place.write("one.ndjson", ticks("NAMED", 2));
  const two = await place.write("two.ndjson.gz", gzipSync(ticks("NAMED", 2)));
  const alone = await place.ingest({ table: "market_data", files: [one], sourceName: "feed" });
  const both = await place.ingest({ table: "market_data", files: [one, two], sourceName: "feed" });
  assert.deepEqual(
    [...alone.files, ...both.files].map(({ source }) => source),
    ["feed", "feed/one.ndjson", "feed/two.ndjson"],
  );
});

test("standard input is read as it comes, and says that reading it again stores it again", async (t) => {
  const place = await openPlace(t, clickhouse);
  const { Readable } = await import("node:stream");
  const read = (sourceName?: string) =>
    place.ingest({
      table: "market_data",
      files: ["-"],
      format: "ndjson",
      stdin: Readable.from([gzipSync(ticks("STDIN", 3))]),
      sourceName,
    });
  const first = await read();
  assert.match(first.files[0]!.source, /^stdin#[0-9a-f]{12}$/);
  assert.match(first.files[0]!.notes.join("\n"), /reading it again stores it again/);
  assert.equal((await read()).stored, 3);
  assert.equal((await read("tape")).stored, 3);
  assert.equal((await read("tape")).alreadyStored, 3);
});

test("rejected rows are told by line and reason, counted, kept once in the dead letters", async (t) => {
  const place = await openPlace(t, clickhouse);
  const lines = [
    tick("BAD", 0),
    tick("BAD", 1, ',"bid_px1":"1.123456789"'),
    tick("BAD", 2, ',"bid_px1":1e12'),
    tick("BAD", 3, ',"simbol":"x"'),
    tick("BAD", 4, ',"exchange_seq":-1'),
    tick("BAD", 5, ',"exchange_seq":18446744073709551616'),
    '{"symbol":"BAD"}',
    '{"ts_exchange":1714521600000}',
    tick("BAD", 8).replace("quote", "news"),
    "{",
    tick("BAD", 10, ',"venue":"\\udc00"'),
    tick("BAD", 11, ',"bid_px1":1.5,"bid_px1":1.5'),
    tick("BAD", 12),
  ];
  const file = await place.write("bad.ndjson", lines.join("\n"));
  const report = await place.ingest({ table: "market_data", files: [file] });
  const [told] = report.files;
  assert.deepEqual([report.rows, report.stored, report.rejected], [13, 2, 11]);
  assert.deepEqual(
    told!.rejections.map(({ line, column, reason }) => [line, column ?? "", reason]),
    [
      [2, "bid_px1", "has more than 8 decimal places"],
      [3, "bid_px1", "is out of range for Decimal(18, 8)"],
      [4, "simbol", "is no column of market_data; did you mean symbol?"],
      [5, "exchange_seq", "is out of range for UInt64"],
      [6, "exchange_seq", "is out of range for UInt64"],
      [7, "ts_exchange", "is required"],
      [8, "ts_exchange", "looks like milliseconds: a bare integer is nanoseconds"],
      [9, "kind", told!.rejections[7]!.reason],
      [10, "", "is broken JSON"],
      [11, "", "has text that has no UTF-8 form"],
      [12, "", "gives a key twice"],
    ],
  );
  assert.match(told!.rejections[7]!.message, /^column kind: 'news' is not in the Enum/);
  assert.equal(told!.reasons["exchange_seq: is out of range for UInt64"], 2);
  assert.equal(
    Object.values(told!.reasons).reduce((sum, count) => sum + count, 0),
    11,
  );
  await place.ingest({ table: "market_data", files: [file] });
  const letters = await place.deadLetters();
  assert.deepEqual(
    letters.map(({ source_seq }) => Number(source_seq)),
    [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12],
  );
  assert.equal(letters[0]!.bytes, lines[1]);
});

test("lines that are no text are rejected, and no replacement character is stored", async (t) => {
  const place = await openPlace(t, clickhouse);
  const garbage = Buffer.concat([
    Buffer.from(`${tick("RAW", 0)}\n${tick("RAW", 1).slice(0, -1)},"venue":"`),
    Buffer.from([0xff, 0xfe]),
    Buffer.from(`"}\n${tick("RAW", 2)}\n\0\n`),
    Buffer.from(Array.from({ length: 5000 }, (_, i) => (i * 7919 + ((i * i) >> 3)) & 0xff)),
    Buffer.from(`\n${tick("RAW", 3)}\n`),
  ]);
  const report = await place.ingest({
    table: "market_data",
    files: [await place.write("raw.ndjson", garbage)],
  });
  const [told] = report.files;
  assert.equal(report.stored, 3);
  assert.deepEqual(
    told!.rejections.slice(0, 2).map(({ line, reason }) => [line, reason]),
    [
      [2, "is not valid UTF-8"],
      [4, "is not a JSON object"],
    ],
  );
  assert.equal(report.rows, report.stored + report.rejected);
  assert.ok(told!.rejections.length <= 20 && report.rejected >= 10, `${report.rejected} rejected`);
  const [letter] = await place.deadLetters();
  const bytes = Buffer.from(letter!.bytes, "base64");
  assert.ok(bytes.includes(Buffer.from([0xff, 0xfe])), "the dead letter has the bytes as they came");
});

test("a truncated gzip file gives its whole rows and names the place; half a row is not stored", async (t) => {
  const place = await openPlace(t, clickhouse);
  const packed = gzipSync(ticks("CUT", 5000));
  const file = await place.write("cut.ndjson.gz", packed.subarray(0, packed.length - 600));
  const good = await place.write("good.ndjson", ticks("AFTERCUT", 5));
  const report = await place.ingest({ table: "market_data", files: [file, good] });
  const { error, stored, rejected } = report.files[0]!;
  assert.equal(error?.code, "INPUT_UNREADABLE");
  assert.match(
    error!.message,
    /cut\.ndjson\.gz: broken or truncated gzip after \d+ bytes .*; lines up to (\d+) were read$/,
  );
  assert.ok(stored > 4000 && stored < 5000, `${stored} stored`);
  assert.equal(rejected, 0);
  assert.match(error!.message, new RegExp(`lines up to ${stored} `));
  assert.deepEqual(await linesOf("CUT"), upTo(stored));
  assert.equal(report.files[1]!.stored, 5);
  const whole = await place.ingest({
    table: "market_data",
    files: [await place.write("cut.ndjson.gz", packed)],
  });
  assert.deepEqual([whole.stored, whole.alreadyStored], [5000 - stored, stored]);
});

test("files that cannot be read are told one by one and keep no other from being read", async (t) => {
  const place = await openPlace(t, clickhouse);
  const files = [
    `${place.folder}/absent.ndjson`,
    place.folder,
    await place.write("utf16.ndjson", Buffer.from(`\ufeff${ticks("U16", 1)}`, "utf16le")),
    await place.write("unknown.bin", ticks("U17", 1)),
    await place.write("broken.ndjson.gz", Buffer.from([0x1f, 0x8b, 9, 9, 9, 9, 9])),
    await place.write("empty.ndjson", ""),
    await place.write("empty.ndjson.gz", gzipSync("")),
    await place.write("fine.ndjson", ticks("FINE", 2)),
  ];
  const report = await place.ingest({ table: "market_data", files });
  assert.deepEqual(
    report.files.map(
      ({ error, notes, stored }) => error?.message.replace(/^.*\//, "") ?? `${stored} ${notes.join()}`,
    ),
    [
      "absent.ndjson: no such file",
      `${place.folder.replace(/^.*\//, "")}: is a folder`,
      "utf16.ndjson: is UTF-16; convert it to UTF-8, for example with iconv -f UTF-16 -t UTF-8",
      "unknown.bin: its name does not tell the format; say --format csv or ndjson",
      report.files[4]!.error!.message.replace(/^.*\//, ""),
      "0 holds no rows",
      "0 holds no rows",
      `2 ${report.files[7]!.notes.join()}`,
    ],
  );
  assert.match(
    report.files[4]!.error!.message,
    /broken or truncated gzip after 7 bytes .*; no line was read$/,
  );
});

test("an unknown table and a missing mapping are refused before a file is opened", async (t) => {
  const place = await openPlace(t, clickhouse);
  await assert.rejects(place.ingest({ table: "market_dat", files: ["absent"] }), {
    code: "TABLE_UNKNOWN",
    message: /did you mean market_data\?/,
  });
  await assert.rejects(place.ingest({ table: "orders", files: ["absent"], mapping: "absent.yaml" }), {
    code: "MAPPING_INVALID",
    message: /cannot read the mapping: ENOENT/,
  });
});

test("a CSV header that does not fit the table stops the file before its first row", async (t) => {
  const place = await openPlace(t, clickhouse);
  const file = await place.write(
    "header.csv",
    "ts_exchange,ts_local,simbol,seq,kind\n2024-05-01T00:00:00Z,,A,1,quote\n",
  );
  const { files } = await place.ingest({ table: "market_data", files: [file] });
  assert.equal(files[0]!.rows, 0);
  assert.deepEqual(files[0]!.error!.message.split("\n").slice(1), [
    "  simbol: is no column of market_data; did you mean symbol?",
    "  seq: is not for a file to set",
    "  symbol: is missing: the column is required",
  ]);
});

test("a line of 100 MB in a gzip file costs one row and no memory", async (t) => {
  const place = await openPlace(t, clickhouse);
  const head = gzipSync(ticks("LONG", 3));
  const filler = gzipSync(Buffer.alloc(10_000_000, "x"));
  const tail = gzipSync(`\n${tick("LONG", 9)}\n`);
  const file = await place.write("long.ndjson.gz", Buffer.concat([head, ...Array(10).fill(filler), tail]));
  const before = process.memoryUsage().arrayBuffers;
  let most = 0;
  const report = await place.ingest({
    table: "market_data",
    files: [file],
    onProgress: () => {
      most = Math.max(most, process.memoryUsage().arrayBuffers - before);
    },
  });
  assert.deepEqual([report.stored, report.rejected], [4, 1]);
  assert.deepEqual(report.files[0]!.rejections[0], {
    line: 4,
    reason: "is longer than 1MiB",
    message: "is longer than 1MiB",
  });
  assert.ok(most < 64 << 20, `${most} bytes were held`);
  const [letter] = await place.deadLetters();
  assert.equal(letter!.bytes, "x".repeat(1024));
});

test("rows that ClickHouse itself refuses are counted as lost, exactly, and are in the dead letters", async (t) => {
  const place = await openPlace(t, clickhouse);
  await clickhouse.command("ALTER TABLE orders ADD CONSTRAINT small CHECK qty < 1000");
  const order = (qty: number): string =>
    `{"ts":"2024-05-01T00:00:00Z","client_order_id":"c","strategy":"s","symbol":"LOST","side":"buy","qty":"${qty}","status":"new"}\n`;
  const lines = Array.from({ length: 100 }, (_, i) => order(i === 41 || i === 77 ? 1000 : i));
  const file = await place.write("lost.ndjson", lines.join(""));
  const fine = await place.write("fine.ndjson", order(1).repeat(10));
  const report = await place.ingest({ table: "orders", files: [file, fine] });
  assert.deepEqual(
    report.files.map(({ rows, stored, rejected, lost }) => [rows, stored, rejected, lost]),
    [
      [100, 98, 0, 2],
      [10, 10, 0, 0],
    ],
  );
  assert.match(
    report.files[0]!.notes.join("\n"),
    /^2 rows were not stored: ClickHouse refused 2 rows of a batch of orders/,
  );
  assert.deepEqual(
    (await place.deadLetters()).map(({ source_seq }) => source_seq),
    ["42", "78"],
  );
  const again = await place.ingest({ table: "orders", files: [file] });
  assert.deepEqual([again.stored, again.alreadyStored, again.lost], [0, 98, 2]);
});

test("a table at its limit makes reading wait; nothing is dropped", async (t) => {
  for (const kind of ["best_effort", "critical"] as const) {
    const place = await openPlace(t, clickhouse, {
      class: kind,
      flush: { rows: 20, bytes: 1 << 20, age: 1000 },
      queue: { rows: 100 },
    });
    const file = await place.write(`${kind}.ndjson`, ticks(kind, 600));
    const report = await place.ingest({ table: "market_data", files: [file] });
    assert.deepEqual([report.stored, report.lost], [600, 0]);
    assert.deepEqual(await linesOf(kind), upTo(600));
    const { dropped, refused } = place.recorder.stats().tables["market_data"]!;
    assert.deepEqual([dropped, refused], [{}, {}]);
  }
});

test("an abort ends reading, what was read is stored, and the next run stores the rest", async (t) => {
  const place = await openPlace(t, clickhouse);
  const file = await place.write("abort.ndjson", ticks("ABORT", 20_000));
  const controller = new AbortController();
  const report = await place.ingest({
    table: "market_data",
    files: [file, file],
    signal: controller.signal,
    onProgress: () => controller.abort(),
  });
  assert.equal(report.interrupted, true);
  assert.equal(report.files.length, 1);
  assert.ok(report.stored > 0 && report.stored < 20_000, `${report.stored} stored`);
  assert.deepEqual(await linesOf("ABORT"), upTo(report.stored));
  const rest = await place.ingest({ table: "market_data", files: [file] });
  assert.equal(rest.stored, 20_000 - report.stored);
});

test("an abort does not wait without end for rows that cannot be stored", async (t) => {
  const place = await openPlace(t, clickhouse, {
    class: "critical",
    flush: { rows: 50_000, bytes: 8 << 20, age: 3_600_000 },
    queue: { rows: 200_000 },
  });
  const { PassThrough } = await import("node:stream");
  const controller = new AbortController();
  const stdin = new PassThrough();
  stdin.write(ticks("AWAY", 3));
  const { recorder } = place;
  // As while ClickHouse is away.
  const away = {
    table: (name: string) => recorder.table(name),
    replayed: async () => {},
    flush: () => new Promise<void>(() => {}),
  };
  const report = await place.ingest({
    recorder: away as unknown as typeof recorder,
    table: "market_data",
    files: ["-"],
    format: "ndjson",
    stdin,
    sourceName: "away",
    signal: controller.signal,
    abortedFlushMs: 10,
    onProgress: () => controller.abort(),
  });
  assert.deepEqual([report.interrupted, report.rows, report.stored, report.lost], [true, 3, 0, 3]);
  assert.match(
    report.files[0]!.notes.join(),
    /^3 rows were not known to be stored when it ended: run it again$/,
  );
});

test("an abort ends a read of standard input that brings nothing", async (t) => {
  const place = await openPlace(t, clickhouse);
  const { PassThrough } = await import("node:stream");
  for (const sent of ["", ticks("QUIET", 2)]) {
    const controller = new AbortController();
    const stdin = new PassThrough();
    stdin.write(sent);
    const ended = place.ingest({
      table: "market_data",
      files: ["-"],
      format: "ndjson",
      stdin,
      signal: controller.signal,
    });
    setImmediate(() => controller.abort());
    const report = await ended;
    assert.equal(report.interrupted, true);
    assert.equal(report.files[0]!.error, undefined);
  }
});

test("old rows stay through merges, and the report says how long", async (t) => {
  const place = await openPlace(t, clickhouse);
  const old = ticks("OLD", 200).replaceAll("2024-05-01", "2014-05-01");
  const report = await place.ingest({ table: "market_data", files: [await place.write("old.ndjson", old)] });
  assert.match(
    report.files[0]!.notes.join(),
    /^has rows of 2014-05-01, older than market_data keeps rows: they stay until about \d{4}-\d\d-\d\d, because market_data counts from their arrival$/,
  );
  await clickhouse.command("OPTIMIZE TABLE market_data FINAL");
  assert.equal((await linesOf("OLD")).length, 200);
  const today = ticks("NEW", 3).replaceAll("2024-05-01", new Date().toISOString().slice(0, 10));
  const fresh = await place.ingest({ table: "market_data", files: [await place.write("new.ndjson", today)] });
  assert.deepEqual(fresh.files[0]!.notes, []);
});

test("progress tells bytes of bytes, rows, speed and the time left", async (t) => {
  const place = await openPlace(t, clickhouse);
  const file = await place.write("progress.ndjson", ticks("PROGRESS", 2000));
  const size = (await readFile(file)).length;
  const seen: unknown[] = [];
  await place.ingest({
    table: "market_data",
    files: [file],
    onProgress: ({ bytes, totalBytes, rows, rowsPerSecond, etaSeconds }) => {
      seen.push(totalBytes);
      assert.ok(bytes > 0 && bytes <= size);
      assert.ok(rows > 0 && rowsPerSecond > 0 && etaSeconds! >= 0);
    },
  });
  assert.deepEqual([...new Set(seen)], [size]);
});
