import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { after, test } from "node:test";
import { gzipSync } from "node:zlib";
import { BodyMemory } from "../../src/intake/body-memory.js";
import { type RequestOutcome, recordRequest } from "../../src/intake/http.js";
import { Normaliser } from "../../src/intake/normalise/normaliser.js";
import type { TableOptions, TableWriter } from "../../src/recorder.js";
import { openPlace, type Place, startTables } from "./fixture.js";

const clickhouse = await startTables({ after });

function tick(symbol: string, more = ""): string {
  return `{"ts_exchange":"2024-05-01T00:00:00Z","ts_local":"2024-05-01T00:00:00Z","symbol":"${symbol}","kind":"quote"${more}}\n`;
}

async function* chunks(body: string | Buffer, size = 100): AsyncGenerator<Buffer> {
  const bytes = Buffer.from(body);
  for (let from = 0; from < bytes.length; from += size) yield bytes.subarray(from, from + size);
}

function send(
  place: Place,
  body: string | Buffer,
  options: Partial<Parameters<typeof recordRequest>[0]> = {},
): Promise<RequestOutcome> {
  return recordRequest({
    writer: place.recorder.table("market_data"),
    normaliser: new Normaliser({ depth: 5 }),
    body: chunks(body),
    isGzip: false,
    maxLineBytes: 1000,
    maxBodyBytes: 1_000_000,
    memory: new BodyMemory(1_000_000),
    signal: new AbortController().signal,
    ...options,
  });
}

async function stored(symbol: string): Promise<number> {
  return Number(
    await clickhouse.text(`SELECT count() FROM market_data WHERE symbol = '${symbol}' FORMAT TSV`),
  );
}

test("the answer comes once every accepted row is stored, and tells each refused line", async (t) => {
  const place = await openPlace(t, clickhouse);
  const body = [
    tick("H1"),
    tick("H1", ',"bid_px1":"x"'),
    tick("H1", ',"simbol":1'),
    "oops\n",
    `{"ts_exchange":"2024-05-01T00:00:00Z","note":"${"x".repeat(2000)}"}\n`,
    tick("H1", ',"source":"feed","source_seq":7'),
  ].join("");
  const outcome = await send(place, body);
  assert.deepEqual(outcome, {
    kind: "safe",
    accepted: 2,
    rejected: 4,
    errors: [
      { line: 2, column: "bid_px1", reason: "is not a decimal number" },
      { line: 3, column: "simbol", reason: "is no column of market_data; did you mean symbol?" },
      { line: 4, column: null, reason: "is not a JSON object" },
      { line: 5, column: null, reason: "is longer than 1000B" },
    ],
  });
  assert.equal(await stored("H1"), 2);
  assert.equal((await place.deadLetters()).length, 4);
  const [named] = await clickhouse.rows(
    "SELECT source, source_seq FROM market_data WHERE symbol = 'H1' AND source != ''",
  );
  assert.deepEqual(named, { source: "feed", source_seq: "7" });
});

test("refused lines are all counted and the first hundred told", async (t) => {
  const place = await openPlace(t, clickhouse);
  const outcome = await send(place, "x\n".repeat(5000));
  assert.equal(outcome.kind, "safe");
  if (outcome.kind === "safe") assert.deepEqual([outcome.rejected, outcome.errors.length], [5000, 100]);
});

test("a body that does not come is waited for until the signal, and no row of it is taken", async (t) => {
  const place = await openPlace(t, clickhouse);
  const body = new PassThrough();
  body.write(tick("H0"));
  const controller = new AbortController();
  const answer = send(place, "", { body, signal: controller.signal });
  setImmediate(() => controller.abort());
  assert.deepEqual(await answer, { kind: "not_stored", taken: 0, message: "not read before the deadline" });
  assert.equal(body.destroyed, false);
});

test("a gzip body is stored as its plain text is", async (t) => {
  const place = await openPlace(t, clickhouse);
  const outcome = await send(place, gzipSync(tick("H2").repeat(500)), { isGzip: true });
  assert.deepEqual(outcome, { kind: "safe", accepted: 500, rejected: 0, errors: [] });
  assert.equal(await stored("H2"), 500);
});

test("a body that is broken, cut off or too large leaves no row behind", async (t) => {
  const place = await openPlace(t, clickhouse);
  const text = tick("H3").repeat(500);
  const packed = gzipSync(text);
  const failing = async function* (): AsyncGenerator<Buffer> {
    yield* chunks(text);
    throw new Error("aborted");
  };
  const outcomes = [
    await send(place, packed.subarray(0, packed.length - 9), { isGzip: true }),
    await send(place, text, { isGzip: true }),
    await send(place, "", { body: failing() }),
    await send(place, text, { maxBodyBytes: text.length - 1 }),
    await send(place, gzipSync(Buffer.alloc(50_000_000)), { isGzip: true }),
  ];
  assert.deepEqual(
    outcomes.map(({ kind }) => kind),
    ["malformed", "malformed", "malformed", "too_large", "too_large"],
  );
  assert.equal(await stored("H3"), 0);
});

/** A small queue, and batches that are not due before it is full. */
const SMALL: TableOptions = {
  class: "critical",
  flush: { rows: 1000, bytes: 1 << 20, age: 60_000 },
  queue: { rows: 5 },
};

test("a table at its limit takes nothing and says so", async (t) => {
  const place = await openPlace(t, clickhouse, SMALL);
  const writer = place.recorder.table("market_data");
  const row = {
    ts_exchange: "2024-05-01T00:00:00Z",
    ts_local: "2024-05-01T00:00:00Z",
    symbol: "H4",
    kind: "quote",
  };
  while (!writer.full) writer.offer(row);
  assert.deepEqual(await send(place, tick("H4")), { kind: "full", message: "market_data is at its limit" });
});

test("a request waits for room, and when its deadline strikes says how many rows were taken", async (t) => {
  const place = await openPlace(t, clickhouse);
  const { table } = place.recorder.table("market_data");
  const controller = new AbortController();
  let taken = 0;
  const writer: TableWriter = {
    table,
    isLogged: false,
    full: false,
    offer: () => {
      if (taken === 5) return undefined;
      taken += 1;
      return { durable: Promise.resolve(), stored: new Promise(() => {}) };
    },
    room: () => {
      setImmediate(() => controller.abort());
      return new Promise(() => {});
    },
    group: () => undefined,
    offerWhole: () => undefined,
    makeRoom: () => true,
    pendingRows: 0,
    storedRows: 0,
    untoldRows: 0,
    rejected: async () => {},
  };
  const outcome = await send(place, tick("H5").repeat(20), { writer, signal: controller.signal });
  assert.deepEqual(outcome, { kind: "not_stored", taken: 5, message: "not stored before the deadline" });
});

test("bodies share one memory: what does not fit is refused, and room comes back with each answer", async (t) => {
  const place = await openPlace(t, clickhouse);
  const body = tick("H6").repeat(10);
  const memory = new BodyMemory(body.length);
  let goOn = (): void => {};
  const gate = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  async function* slow(): AsyncGenerator<Buffer> {
    yield Buffer.from(body.slice(0, 200));
    await gate;
    yield Buffer.from(body.slice(200));
  }
  const first = send(place, "", { body: slow(), memory });
  const second = await send(place, body, { memory });
  assert.deepEqual(second, {
    kind: "full",
    message: `the bodies of all requests are at their limit of ${body.length}B`,
  });
  assert.equal(memory.used, 200);
  goOn();
  assert.equal((await first).kind, "safe");
  assert.equal((await send(place, body, { memory })).kind, "safe");
  assert.equal(memory.used, 0);
  assert.equal(await stored("H6"), 20);
});

test("an empty body is fine", async (t) => {
  const place = await openPlace(t, clickhouse);
  assert.deepEqual(await send(place, ""), { kind: "safe", accepted: 0, rejected: 0, errors: [] });
});

test("words of venues, levels and steps with ids alone are rows over HTTP too; the time of arrival is stamped", async (t) => {
  const place = await openPlace(t, clickhouse);
  const normaliser = new Normaliser({ depth: 2 });
  const sentAt = Date.now();
  const ticks = await send(
    place,
    `{"symbol":" H9 ","kind":"depth","bids":[["7.10","1"],["6",2],[5,3]],"asks":[{"price":8,"size":"0.1"}]}
{"symbol":"H9","kind":"trade","last_px":1,"last_qty":2,"last_side":"SELL","ts_local":"2024-05-01T00:00:00Z"}
{"symbol":"H9","kind":"trade","last_px":1,"last_qty":2,"last_side":"ask"}
`,
    { normaliser },
  );
  assert.equal(ticks.kind, "safe");
  if (ticks.kind === "safe") {
    assert.deepEqual([ticks.accepted, ticks.rejected, ticks.errors[0]!.column], [2, 1, "last_side"]);
    assert.match(ticks.errors[0]!.reason, /is ambiguous/);
  }
  const book = await clickhouse.text(
    `SELECT bid_px, bid_sz, ask_px1, ask_sz1, ts_exchange_src, ts_exchange = ts_local,
            toUnixTimestamp64Milli(ts_local) BETWEEN ${sentAt} AND ${Date.now()}
     FROM market_data WHERE symbol = 'H9' AND kind = 'depth' FORMAT TSV`,
  );
  assert.equal(book, "[7.1,6]\t[1,2]\t8\t0.1\tlocal\t1\t1\n");
  const orders = await send(
    place,
    `{"ts":"2024-05-01T00:00:00Z","client_order_id":"h9","strategy":"s","symbol":"H9","side":"BUY","qty":"1.50","status":0}
{"ts":"2024-05-01T00:00:01Z","client_order_id":"h9","status":"CANCELED"}
`,
    { normaliser, writer: place.recorder.table("orders") },
  );
  assert.deepEqual(orders, { kind: "safe", accepted: 2, rejected: 0, errors: [] });
  const steps = await clickhouse.text(
    "SELECT status, side, qty FROM orders WHERE client_order_id = 'h9' ORDER BY ts FORMAT TSV",
  );
  assert.equal(steps, "new\tbuy\t1.5\ncanceled\tbuy\t1.5\n");
});
