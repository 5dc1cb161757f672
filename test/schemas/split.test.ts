import assert from "node:assert/strict";
import { after, test } from "node:test";
import fc from "fast-check";
import { splitStatements } from "../../src/schemas/split.js";
import { startTestEngine } from "../support/engine.js";

const { clickhouse } = await startTestEngine({ after });

const texts = (sql: string): string[] => splitStatements(sql).map(({ text }) => text);

/** A statement that holds a `;` which divides nothing, by the place it stands in. */
const UNDIVIDED: Readonly<Record<string, string>> = {
  "a string": "SELECT 'a;b'",
  "a string with a doubled quote": "SELECT 'it''s;here'",
  "a string with an escaped quote": "SELECT 'it\\'s;here'",
  "a string that ends in an escaped backslash": "SELECT ';\\\\', ';'",
  "a string over several lines": "SELECT 'a;\n;b'",
  "a double-quoted name": 'SELECT 1 AS "a;b"',
  "a double-quoted name with a doubled quote": 'SELECT 1 AS "a"";b"',
  "a backquoted name": "SELECT 1 AS `a;b`",
  "a backquoted name with an escaped quote": "SELECT 1 AS `a\\`;b`",
  "a string in curly quotes": "SELECT ‘a;b’",
  "a name in curly quotes": "SELECT 1 AS “a;b”",
  "a -- comment": "SELECT 1 -- not; here\n + 1",
  "a -- comment without a blank": "SELECT 1 --not;here\n + 1",
  "a # comment": "SELECT 1 # not; here\n + 1",
  "a #! comment": "SELECT 1 #!not;here\n + 1",
  "a block comment": "SELECT 1 /* not;\n here */ + 1",
  "a block comment within a block comment": "SELECT 1 /* a /* b; */ c; */ + 1",
  "a comment that holds a quote": "SELECT 1 -- it's\n, ';'",
  "a string that holds a comment's start": "SELECT '--', ';', '/*', ';'",
  "a heredoc": "SELECT $$a;b$$",
  "a heredoc with a tag": "SELECT $tag$a;$$;b$tag$",
};

for (const [place, sql] of Object.entries(UNDIVIDED)) {
  test(`a semicolon in ${place} divides nothing`, async () => {
    await clickhouse.command(sql);
    assert.deepEqual(texts(`${sql};${sql}`), [sql, sql]);
  });
}

test("a name with dollar signs is no heredoc", () => {
  assert.deepEqual(texts("SELECT a$x$b; SELECT c$x$d"), ["SELECT a$x$b", "SELECT c$x$d"]);
});

test("comments around statements belong to none, comments within stay", () => {
  const sql = "-- first\nSELECT 1 /* one */; -- between\n\n/* second */ SELECT 2 # two";
  assert.deepEqual(texts(sql), ["SELECT 1", "SELECT 2"]);
  assert.deepEqual(texts("SELECT /* one */ 1"), ["SELECT /* one */ 1"]);
});

test("empty statements, a byte order mark and a last semicolon make no statement", () => {
  assert.deepEqual(texts("\ufeff;;SELECT 1;\n ; -- end\n"), ["SELECT 1"]);
  assert.deepEqual(texts(" \n-- nothing here\n"), []);
});

test("characters beyond ASCII stay what they are", () => {
  assert.deepEqual(texts("SELECT '→ ü 日本;'; SELECT 'é'"), ["SELECT '→ ü 日本;'", "SELECT 'é'"]);
});

test("a statement knows the line it starts on", () => {
  const lines = splitStatements("-- one\n\nSELECT 'a\nb';\n/* x\n y */ SELECT 2;SELECT 3").map(
    ({ line }) => line,
  );
  assert.deepEqual(lines, [3, 6, 6]);
});

test("what is opened and never closed is refused with its line", () => {
  for (const sql of ["\nSELECT 'a", '\nSELECT "a', "\nSELECT `a", "\nSELECT 1 /* a /* b */"]) {
    assert.throws(() => splitStatements(sql), {
      code: "MIGRATION_FAILED",
      message: /^line 2: .* never closed/,
    });
  }
});

/** How a text may be written so that ClickHouse reads it back as it is. */
const LITERALS: readonly ((text: string) => string)[] = [
  (text) => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`,
  (text) => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "''")}'`,
  (text) =>
    text.includes("$") ? `'${text.replaceAll("\\", "\\\\").replaceAll("'", "''")}'` : `$t$${text}$t$`,
];
const COMMENTS = ["/* ; ' /* ; */ ' */", "-- ; '\n", '# ; "\n', "\n", " "];

test("statements put together from literals and comments come apart again, and ClickHouse reads each as meant", async () => {
  const piece = fc.constantFrom(
    "a",
    ";",
    "'",
    "''",
    '"',
    "`",
    "\\",
    "--",
    "/*",
    "*/",
    "# ",
    "$",
    "\n",
    "é",
    "’",
  );
  const statement = fc.record({
    text: fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join("")),
    literal: fc.constantFrom(...LITERALS),
    before: fc.constantFrom(...COMMENTS),
    within: fc.constantFrom(...COMMENTS),
    after: fc.constantFrom(...COMMENTS),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(statement, { minLength: 1, maxLength: 4 }), async (statements) => {
      const sql = statements
        .map(
          ({ text, literal, before, within, after: end }) =>
            `${before}SELECT${within} ${literal(text)} AS v${end}`,
        )
        .join(";");
      const split = splitStatements(sql);
      assert.equal(split.length, statements.length);
      for (const [index, each] of split.entries()) {
        const [row] = await clickhouse.rows<{ v: string }>(each.text);
        assert.equal(row!.v, statements[index]!.text);
      }
    }),
    { numRuns: 60 },
  );
});
