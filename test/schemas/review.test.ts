import assert from "node:assert/strict";
import { after, test } from "node:test";
import { startTestEngine } from "../support/engine.js";
import { migratedDatabase, repositoryFile, storeRows } from "./database.js";

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

const clickhouse = await migratedDatabase({ after }, await startTestEngine({ after }));
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

for (const { title, sql, answer } of questions) {
  test(`the answer stands: ${title}`, async () => {
    const text = await clickhouse.text(`${sql}\nFORMAT TSVWithNames`);
    const rows = text
      .trimEnd()
      .split("\n")
      .map((line) => line.split("\t").map((cell) => cell.replaceAll("\\'", "'").replaceAll("\\N", "NULL")));
    assert.deepEqual(rows, answer);
  });
}
