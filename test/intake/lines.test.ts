import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { BadLine, type Line, LineSplitter } from "../../src/intake/lines.js";

const MAX_BYTES = 24;

/** What must come out, found by looking at the whole content at once. */
function expected(content: Buffer): (string | { reason: string; raw: string })[] {
  const lines: Buffer[] = [];
  let rest = content;
  for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
    lines.push(rest.subarray(0, end));
    rest = rest.subarray(end + 1);
  }
  if (rest.length > 0) lines.push(rest);
  return lines.map((line) => {
    if (line.length > MAX_BYTES)
      return { reason: "is longer than 24B", raw: line.toString("hex", 0, MAX_BYTES) };
    const text = line.toString("utf8");
    return Buffer.from(text, "utf8").equals(line)
      ? text
      : { reason: "is not valid UTF-8", raw: line.toString("hex") };
  });
}

function shown(lines: readonly Line[]): ReturnType<typeof expected> {
  return lines.map((line) =>
    line instanceof BadLine ? { reason: line.reason, raw: line.raw.toString("hex") } : line,
  );
}

function split(chunks: readonly Buffer[], maxBytes = MAX_BYTES): Line[] {
  const splitter = new LineSplitter(maxBytes);
  return [...chunks.flatMap((chunk) => splitter.push(chunk)), ...splitter.end()];
}

test("lines are the same wherever the chunks are cut", () => {
  const piece = fc.oneof(
    fc.constantFrom("\n", "\r\n", "\0", "é", "𝄞", "a", ",", '"', "0123456789"),
    fc.string({ unit: "binary", maxLength: 8 }),
  );
  const bytes = fc.oneof(
    { weight: 4, arbitrary: piece.map((text) => Buffer.from(text)) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 4 }).map((array) => Buffer.from(array)) },
  );
  fc.assert(
    fc.property(
      fc.array(bytes, { maxLength: 40 }),
      fc.array(fc.nat(200), { maxLength: 12 }),
      (pieces, cuts) => {
        const content = Buffer.concat(pieces);
        const places = [
          0,
          ...cuts.filter((cut) => cut < content.length).sort((a, b) => a - b),
          content.length,
        ];
        const chunks = places.slice(1).map((place, i) => content.subarray(places[i], place));
        const want = expected(content);
        // A byte order mark is no part of the first line, wherever it is cut.
        if (typeof want[0] === "string") want[0] = want[0].replace(/^\ufeff/, "");
        assert.deepEqual(shown(split(chunks)), want);
      },
    ),
    { numRuns: 500 },
  );
});

test("a byte order mark is skipped at the start only", () => {
  const mark = Buffer.from("\ufeff");
  assert.deepEqual(split([mark.subarray(0, 1), mark.subarray(1), Buffer.from("a\n\ufeffb\n")]), [
    "a",
    "\ufeffb",
  ]);
});

test("a last line without a newline counts, an empty rest does not", () => {
  assert.deepEqual(split([Buffer.from("a\nb")]), ["a", "b"]);
  assert.deepEqual(split([Buffer.from("a\n\n")]), ["a", ""]);
  assert.deepEqual(split([]), []);
});

test("a line of 100 MB is one bad line and is never held", () => {
  const chunk = Buffer.alloc(65_536, "x");
  const splitter = new LineSplitter(1 << 20);
  splitter.push(Buffer.from("before\n"));
  const before = process.memoryUsage().arrayBuffers;
  let most = 0;
  for (let sent = 0; sent < 100_000_000; sent += chunk.length) {
    assert.deepEqual(splitter.push(chunk), []);
    most = Math.max(most, process.memoryUsage().arrayBuffers - before);
  }
  const [long, after] = splitter.push(Buffer.from("\nafter\n"));
  assert.ok(long instanceof BadLine);
  assert.equal(long.reason, "is longer than 1MiB");
  assert.equal(long.raw.length, 1024);
  assert.equal(after, "after");
  assert.ok(most < 8 << 20, `${most} bytes were held`);
});
