import assert from "node:assert/strict";
import { after, test } from "node:test";
import type { StatusReport } from "../../src/admin/status-report.js";
import { COLOURED, PLAIN } from "../../src/base/paint.js";
import { glyphsOf } from "../../src/cli/watch/bars.js";
import { Looks } from "../../src/cli/watch/look.js";
import { type Canvas, view } from "../../src/cli/watch/view.js";
import { startLogged } from "../admin/logged-service.js";
import { startTables } from "../intake/fixture.js";
import { temporaryFolder } from "../support/folder.js";

const service = await startLogged(await startTables({ after }), await temporaryFolder({}));
after(() => service.close());
const STATUS = (await (await fetch(`${service.url}/api/status`)).json()) as StatusReport;
const CANVAS: Canvas = { columns: 80, rows: 24, paint: PLAIN, glyphs: glyphsOf({ LANG: "C.UTF-8" }) };
const NOW = 1_800_000_000;

function looked(more: Partial<StatusReport> = {}, messages: readonly string[] = []): Looks {
  const looks = new Looks(() => service.url);
  const events = messages.map((message, index) => ({
    at: NOW - 100 + index,
    level: "warn" as const,
    message,
  }));
  looks.seen({ ...STATUS, ...more }, events, 1000);
  return looks;
}

/** An outage with all that may be said of one. */
function outage(): Partial<StatusReport> {
  const orders = {
    ...STATUS.tables["orders"]!,
    usage: 0.97,
    dropped: { queue_full: 1_234_567 },
    paused: { class: "schema", code: "60", message: "no such table ".repeat(30) },
  };
  const wal = {
    ...STATUS.wal!,
    bytes: 3 << 28,
    max: 1 << 30,
    secondsUntilFull: 11_520,
    pending: { orders: 70_000 },
  };
  const link = { ...STATUS.link, state: "down", reason: "connection refused ".repeat(20), seconds: 130 };
  return { link, wal, tables: { ...STATUS.tables, orders } } as unknown as Partial<StatusReport>;
}

test("the view of a real service has every table, and fits any terminal to the column and the line", () => {
  const text = view(looked().last, NOW, CANVAS).join("\n");
  assert.match(text, /^ClickHouse ● up for /m);
  for (const table of Object.keys(STATUS.tables)) assert.match(text, new RegExp(`^${table} +[█░]{8}`, "m"));
  const events = Array.from({ length: 200 }, (_, index) => `event ${index} ${"x".repeat(300)}`);
  for (const state of [{}, outage()])
    for (const [columns, rows] of [
      [80, 24],
      [200, 50],
      [40, 10],
      [79, 5],
      [1, 1],
    ] as const) {
      const lines = view(looked(state, events).last, NOW, { ...CANVAS, columns, rows });
      assert.equal(lines.length, rows);
      const widest = Math.max(...lines.map((line) => [...line].length));
      assert.ok(widest <= columns, `${widest} columns of ${columns}`);
    }
});

test("at 80×24 an outage shows why, how long the disk lasts, which table is in trouble and the last events", () => {
  const text = view(looked(outage(), ["first", "last"]).last, NOW, CANVAS).join("\n");
  assert.match(text, /^ClickHouse ● DOWN for 2 min 10 s: connection refused/m);
  assert.match(text, /^log +█{8}░{2} +75% {2}768 MiB of 1\.0 GiB {2}full in 3 h 12 min {2}70,000 rows$/m);
  assert.match(text, /^orders +█{8,}░? +97% .* 1\.2M +0\b/m);
  assert.match(text, /^look +● orders is paused: 60: no such table/m);
  assert.match(text, /warn +last$/m);
});

test("tables of which rows wait and none lands are named in one line", () => {
  const notLanding = ["orders", "fills"].map((table) => ({ table, rows: 5, seconds: 94 }));
  const text = view(looked({ notLanding }).last, NOW, CANVAS).join("\n");
  assert.match(
    text,
    /^look +● rows wait and none has landed: orders for 1 min 34 s, fills for 1\n +min 34 s$/m,
  );
});

test("more room shows more of each table, and more events", () => {
  const canvas = { ...CANVAS, columns: 200, rows: 50 };
  const messages = Array.from({ length: 60 }, (_, index) => `event ${index}`);
  const text = view(looked({}, messages).last, NOW, canvas).join("\n");
  assert.match(text, /^table .* lvl +refused +letters +thinned +stored +pressure +step$/m);
  assert.ok((text.match(/^\d\d:\d\d:\d\d warn/gm) ?? []).length > 25);
  assert.match(text, /event 59$/m);
});

test("what does not find room is told: the fullest tables stay", () => {
  const tables = Object.fromEntries(
    Array.from({ length: 40 }, (_, index) => [
      `table_${index}`,
      { ...STATUS.tables["orders"]!, usage: index / 40 },
    ]),
  );
  const rates = {
    ...STATUS.rates,
    tables: Object.fromEntries(Object.keys(tables).map((name) => [name, STATUS.rates])),
  };
  const text = view(looked({ tables, rates }).last, NOW, CANVAS).join("\n");
  assert.match(text, /^table_39 /m);
  assert.doesNotMatch(text, /^table_1 /m);
  assert.match(text, /^and \d+ quieter tables$/m);
});

test("a service that does not answer is told of, with its last state below; before the first answer, what to do", () => {
  const looks = looked();
  looks.missed("nobody listens there", NOW - 12);
  looks.missed("nobody listens there", NOW - 1);
  const text = view(looks.last, NOW, CANVAS).join("\n");
  assert.match(text, /^recorder {3}● NO ANSWER for 12 s: nobody listens there$/m);
  assert.match(text, /^orders /m);
  looks.seen(STATUS, [], 2000);
  assert.doesNotMatch(view(looks.last, NOW, CANVAS).join("\n"), /NO ANSWER/);
  const never = new Looks(() => service.url);
  never.missed("nobody listens there", NOW);
  assert.match(
    view(never.last, NOW, CANVAS).join("\n"),
    /NO ANSWER: nobody.*\n\nstart one with coldpath serve/,
  );
});

test("texts of others do not steer the terminal; colours and blocks come only where they are understood", () => {
  const steering = view(looked({}, ["a\u001b[2Jb\u0007c\nd\u202ee"]).last, NOW, CANVAS);
  assert.ok(steering.every((line) => !/\p{C}/u.test(line)));
  assert.match(steering.join("\n"), /a \[2Jb c d e$/m);
  const coloured = view(looked(outage()).last, NOW, { ...CANVAS, paint: COLOURED }).join("\n");
  assert.ok(coloured.includes("\u001b[31m● DOWN\u001b[39m"));
  const ascii = view(looked(outage()).last, NOW, { ...CANVAS, glyphs: glyphsOf({ LANG: "C" }) }).join("\n");
  assert.match(ascii, /^log +#{8}\.{2} +75%/m);
  assert.doesNotMatch(ascii, /[^\0-\u007f]/, "plain ASCII");
});
