import assert from "node:assert/strict";
import { test } from "node:test";
import { prettyLine } from "../../src/service/pretty-line.js";

const TIME = "2026-11-23T05:00:00.000Z";

function shown(line: object): string {
  return prettyLine(`${JSON.stringify({ level: 40, time: TIME, ...line })}\n`);
}

test("a line for people has time, level, event, message and fields", () => {
  assert.equal(
    shown({ event: "link", to: "down", seconds: 3, why: "no route", msg: "ClickHouse is away" }),
    `${TIME} warn  link ClickHouse is away to=down seconds=3 why="no route"\n`,
  );
  assert.equal(shown({ level: 30, tables: ["a"] }), `${TIME} info  tables=["a"]\n`);
});

test("nothing in it acts on a terminal or begins a line of its own", () => {
  assert.equal(
    shown({ event: "admin", msg: "a\nb\u001b[2J\u009b1m", agent: "x\u007f" }),
    `${TIME} warn  admin a\\u000ab\\u001b[2J\\u009b1m agent=x\\u007f\n`,
  );
});
