import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, afterEach, test } from "node:test";
import { letterText } from "../../src/letters/letter-text.js";
import type { DeadLetter } from "../../src/sink/dead-letter.js";
import { upTo } from "../sink/rig.js";
import { type LogPlace, startLogRig } from "./recorder-rig.js";

const rig = await startLogRig({ after });
const { proxy } = rig;

afterEach(async () => {
  proxy.clear();
  await proxy.accept();
});

/** By row, what its letters keep. */
async function letters({ folder }: LogPlace): Promise<{ seq: string; run: string; values: object }[]> {
  const dir = join(folder, "dead-letters");
  const found: { seq: string; run: string; values: object }[] = [];
  for (const name of (await readdir(dir)).filter((each) => each.endsWith(".ndjson")))
    for (const line of (await readFile(join(dir, name), "utf8")).split("\n").filter((each) => each !== "")) {
      const letter = JSON.parse(line) as DeadLetter;
      assert.equal(letter.code, "COLUMN_LEFT_OUT");
      found.push({ seq: letter.seq!, run: letter.run, values: JSON.parse(letterText(letter)!) });
    }
  return found.sort((a, b) => Number(a.seq) - Number(b.seq));
}

test("a dropped column pauses its table until it is left out; what it held is in the dead letters once, before a row is sent without it", async () => {
  const place = await rig.place({ columns: ", note Nullable(String), tag String DEFAULT ''" });
  const first = await place.open();
  await proxy.refuse();
  place.offer(first, upTo(10), { note: "kept" });
  place.offer(first, [10], { note: null });
  place.offer(first, [11], { tag: "two" });
  await first.durable();
  await first.close({ deadlineMs: 0 });
  await rig.direct.command(`ALTER TABLE ${place.name} DROP COLUMN note, DROP COLUMN tag`);
  await proxy.accept();
  // Left out by halves: the letters are written, and the rows are refused for the other column.
  const second = await place.open({ leaveOut: { [place.name]: ["note"] } });
  await place.event("paused");
  assert.equal(await place.count(), 0);
  assert.equal((await letters(place)).length, 10);
  await second.close({ deadlineMs: 0 });

  const third = await place.open();
  await assert.rejects(third.leaveOut(place.name, "px"), { code: "USAGE" });
  for (const column of ["note", "tag"]) await third.leaveOut(place.name, column);
  third.replay();
  await third.replayed();
  await place.check();
  const { run } = first;
  const identity = (seq: number): object => ({ recorder: "rig", run: String(run), seq: String(seq) });
  assert.deepEqual(
    await letters(place),
    [...upTo(10).map((i) => [i + 1, { note: "kept" }] as const), [12, { tag: "two" }] as const].map(
      ([seq, held]) => ({
        seq: String(seq),
        run: String(run),
        values: { ...held, ...identity(seq) },
      }),
    ),
  );
});
