import assert from "node:assert/strict";
import { after, test } from "node:test";
import { startMigratedEngine } from "../support/migrated.js";
import { repositoryFile, storeRows } from "./database.js";

interface Question {
  readonly title: string;
  readonly sql: string;
  /** Header and rows, as the page shows them. */
  readonly answer: readonly (readonly string[])[];
}

/** The questions of the page: a numbered heading, then SQL, then the answer as a table. */
function questionsOf(page: string): Question[] {
  return page
    .split(/^## (?=\d)/m)
    .slice(1)
    .map((section) => {
      const sql = /```sql\n(.*?)```/s.exec(section)?.[1];
      const lines = section.split("\n").filter((line) => line.startsWith("|"));
      assert.ok(sql !== undefined && lines.length > 2, `no SQL or no answer: ${section.split("\n")[0]}`);
      const cells = lines.map((line) =>
        line
          .slice(1, -1)
          .split("|")
          .map((cell) => cell.trim()),
      );
      return { title: section.split("\n")[0]!, sql, answer: [cells[0]!, ...cells.slice(2)] };
    });
}

const { clickhouse } = await startMigratedEngine({ after });
const sample = repositoryFile("test/schemas/review.ndjson").trimEnd().split("\n");
await storeRows(
  clickhouse,
  sample.map((line) => JSON.parse(line) as { table: string }),
);
const questions = questionsOf(repositoryFile("docs/reviews/schema.md"));

test("the page asks twenty questions, numbered in order", () => {
  assert.deepEqual(
    questions.map(({ title }) => title.split(".")[0]),
    Array.from({ length: 20 }, (_, index) => String(index + 1)),
  );
});

/** Header and rows of what a query answers, as the page would show them. */
async function answerOf(sql: string): Promise<string[][]> {
  const text = await clickhouse.text(`${sql}\nFORMAT TSVWithNames`);
  return text
    .trimEnd()
    .split("\n")
    .map((line) => line.split("\t").map((cell) => cell.replaceAll("\\'", "'").replaceAll("\\N", "NULL")));
}

for (const { title, sql, answer } of questions) {
  test(`the answer stands: ${title}`, async () => {
    assert.deepEqual(await answerOf(sql), answer);
  });
}

/** A question of the page, by its number, asked about another environment. */
function askedOf(number: number, env: string): string {
  return questions[number - 1]!.sql.replaceAll("env = 'prod'", `env = '${env}'`);
}

test("without a book nothing can be bought, and its average price is unknown", async () => {
  assert.deepEqual((await answerOf(askedOf(18, "empty")))[1], ["0", "0", "NULL"]);
});

test("amounts of more than 22 digits do not wrap", async () => {
  const wide = { env: "wide", symbol: "W", ts_exchange: "2026-03-02 10:00:01" };
  const fill = { account_id: "A1", side: "buy", fill_qty: `1${"0".repeat(20)}`, fill_px: "20000" };
  const book = { ask_px: [fill.fill_px], ask_sz: [fill.fill_qty] };
  const quote = { bid_px1: "0", ask_px1: "0", ts_local: "2026-03-02 10:00:01" };
  await storeRows(clickhouse, [
    { table: "fills", fill_id: "w", ...wide, ...fill },
    { table: "market_data", kind: "quote", ...wide, ...quote },
    { table: "market_data", kind: "depth", ts_local: quote.ts_local, ...wide, ...book, symbol: "AAA" },
  ]);
  const amount = `2${"0".repeat(24)}`;
  assert.equal((await answerOf(askedOf(1, "wide")))[1]?.at(-1), amount);
  assert.equal((await answerOf(askedOf(5, "wide")))[1]?.[4], amount);
  const buying = askedOf(18, "wide").replace("8 - (upto", `toDecimal128('${fill.fill_qty}', 8) - (upto`);
  assert.equal((await answerOf(buying))[1]?.[1], amount);
});
