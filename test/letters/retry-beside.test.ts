import assert from "node:assert/strict";
import { cpSync, rmSync } from "node:fs";
import { join } from "node:path";
import { after, afterEach, test } from "node:test";
import { DAY_MS } from "../../src/base/units.js";
import { Normaliser } from "../../src/intake/normalise/normaliser.js";
import { alone } from "../../src/letters/alone.js";
import { dropLetters } from "../../src/letters/drop.js";
import { retryLetters } from "../../src/letters/retry.js";
import { selectedLetters } from "../../src/letters/selection.js";
import type { TableRetry } from "../../src/letters/table-retry.js";
import type { Exchange, Seen } from "../support/fault-proxy.js";
import { Gate, held } from "../support/fault-proxy-faults.js";
import { type LogPlace, startLogRig } from "../wal/recorder-rig.js";

const rig = await startLogRig({ after });
const { proxy, direct } = rig;

afterEach(async () => {
  proxy.clear();
  await proxy.accept();
});

async function retry({ folder }: LogPlace): Promise<TableRetry> {
  const letters = join(folder, "dead-letters");
  const ids = new Set<string>();
  for await (const { id } of selectedLetters(letters, {})) ids.add(id);
  const [table] = await alone(letters, () =>
    retryLetters({
      folder: letters,
      ids,
      log: join(folder, "wal"),
      clickhouse: direct,
      recorder: "rig",
      env: "test",
      accept: { past: 100 * 365 * DAY_MS, future: DAY_MS },
      normaliser: new Normaliser({ depth: 5 }),
      waitsForQuorum: () => false,
      signal: new AbortController().signal,
    }),
  );
  return table!;
}

test("a letter whose row waits in the log, as a crash kept its skip out, is not sent beside the recorder that sends it", async () => {
  const place = await rig.place();
  const { name, folder } = place;
  await direct.command(`ALTER TABLE ${name} ADD CONSTRAINT small CHECK id < 1000`);
  const first = await place.open();
  await proxy.refuse();
  place.offer(first, [5000]);
  await first.durable();
  await first.close({ deadlineMs: 0 });
  const [wal, before] = [join(folder, "wal"), join(folder, "before")];
  cpSync(wal, before, { recursive: true });
  await proxy.accept();
  const second = await place.open();
  await second.replayed();
  await second.close({ deadlineMs: 1000 });
  // The letter is on disk, and the skip is not in the log.
  rmSync(wal, { recursive: true });
  cpSync(before, wal, { recursive: true });
  await direct.command(`ALTER TABLE ${name} DROP CONSTRAINT small`);

  const gate = new Gate();
  const arrived = new Gate();
  const where = ({ sql }: Seen): boolean => sql.includes(name);
  const befall = async (exchange: Exchange): Promise<void> => {
    arrived.open();
    await held(gate).befall(exchange);
  };
  proxy.on({ kind: "insert", where }, { name: "held", befall });
  const third = await place.open();
  await arrived.opened;
  const beside = await retry(place);
  assert.deepEqual([beside.stored, beside.found, beside.left], [0, 0, 1]);
  assert.match(beside.errors[0]!.reason, /waits in the log/);
  gate.open();
  await third.replayed();
  await third.close({ deadlineMs: 1000 });
  const last = await retry(place);
  assert.deepEqual([last.stored, last.found, last.left], [0, 1, 0]);
  await place.check();
});

test("letters of a recorder at work are sent once it has given their rows up", async () => {
  const place = await rig.place();
  const { name } = place;
  await direct.command(`ALTER TABLE ${name} ADD CONSTRAINT small CHECK id < 1000`);
  const recorder = await place.open();
  place.offer(recorder, [1, 5000, 2]);
  await recorder.flush();
  await direct.command(`ALTER TABLE ${name} DROP CONSTRAINT small`);
  const { stored, left } = await retry(place);
  assert.deepEqual([stored, left], [1, 0]);
  await recorder.close({ deadlineMs: 1000 });
  const next = await place.open();
  await next.replayed();
  await place.check();
});

test("one command at a time changes the dead letters", async () => {
  const place = await rig.place();
  const recorder = await place.open();
  const folder = join(place.folder, "dead-letters");
  await alone(folder, async () => {
    await assert.rejects(retry(place), { code: "DEAD_LETTERS_LOCKED" });
    await assert.rejects(dropLetters(folder, new Set()), { code: "DEAD_LETTERS_LOCKED" });
  });
  assert.equal(await dropLetters(folder, new Set()), 0);
  await recorder.close({ deadlineMs: 0 });
});
