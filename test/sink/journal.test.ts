import assert from "node:assert/strict";
import { after, afterEach, test } from "node:test";
import { NO_JOURNAL } from "../../src/buffer/journal.js";
import type { Fault } from "../support/fault-proxy.js";
import { answers, exception, resetAfterStore } from "../support/fault-proxy-faults.js";
import { openLane, StoryJournal } from "./lane-rig.js";
import { startRig, upTo } from "./rig.js";

const rig = await startRig({ after });

afterEach(() => rig.proxy.clear());

/** Each INSERT of a batch is written into the story when it arrives, then goes its way. */
function tellsOf({ story }: StoryJournal): Fault {
  return {
    name: "told",
    async befall(exchange) {
      const [name, generation] = exchange.seen.settings
        .get("insert_deduplication_token")!
        .split("/")
        .slice(-2);
      story.push(`sent ${name}/${generation}`);
      await exchange.reply(await exchange.forward());
    },
  };
}

test("a batch is sealed before ClickHouse sees it, and told of once it is stored", async () => {
  const journal = new StoryJournal();
  const lane = await openLane({ after }, rig, { journal });
  rig.proxy.on({ times: Infinity }, tellsOf(journal));
  lane.offer(upTo(100));
  await lane.settled();
  assert.deepEqual(journal.story, ["seal 1/0", "sent 1/0", "stored 1"]);
});

test("a batch that is sent again is not sealed again", async () => {
  const journal = new StoryJournal();
  const lane = await openLane({ after }, rig, { journal });
  rig.proxy.on({}, resetAfterStore);
  rig.proxy.on({ times: Infinity }, tellsOf(journal));
  lane.offer(upTo(100));
  await lane.settled();
  assert.deepEqual(journal.story, ["seal 1/0", "sent 1/0", "stored 1"]);
});

test("nothing is sent while the journal cannot be written, and all of it afterwards", async () => {
  const journal = new StoryJournal();
  journal.failures = 3;
  const lane = await openLane({ after }, rig, { journal });
  rig.proxy.on({ times: Infinity }, tellsOf(journal));
  lane.offer(upTo(100));
  await lane.settled();
  const failed = "failed seal 1/0";
  assert.deepEqual(journal.story, [failed, failed, failed, "seal 1/0", "sent 1/0", "stored 1"]);
  const retries = lane.events.filter((event) => event.kind === "retry");
  assert.deepEqual(new Set(retries.map(({ code }) => code)), new Set(["journal"]));
  assert.equal(Object.keys(await lane.stored()).length, 100);
});

test("a split is in the journal before its first half is sent, and a row given up once its letter is kept", async () => {
  const journal = new StoryJournal();
  const lane = await openLane({ after }, rig, { journal, columns: ", CONSTRAINT odd CHECK id != 3" });
  rig.proxy.on({ times: Infinity }, tellsOf(journal));
  lane.offer(upTo(4));
  await lane.settled();
  assert.deepEqual(journal.story, [
    ...["seal 1/0", "sent 1/0", "split 1 1.0-2 1.2-4"],
    ...["sent 1.0-2/0", "stored 1.0-2"],
    ...["sent 1.2-4/0", "split 1.2-4 1.2-3 1.3-4"],
    ...["sent 1.2-3/0", "stored 1.2-3"],
    ...["sent 1.3-4/0", "sent 1.3-4/0", "skip 1.3-4"],
  ]);
  const letters = await lane.letters();
  assert.deepEqual(
    letters.map(({ seq }) => seq),
    ["4"],
  );
});

test("neither half is sent before the split is in the journal, and one letter is kept however often it fails", async () => {
  const journal = new StoryJournal();
  const lane = await openLane({ after }, rig, { journal });
  const refused = answers(exception(469, "Constraint"));
  rig.proxy.on(
    { times: 4 },
    {
      ...refused,
      befall: async (exchange) => {
        journal.failures = 2;
        await refused.befall(exchange);
      },
    },
  );
  lane.offer(upTo(2));
  await lane.settled();
  assert.deepEqual(
    journal.story.filter((line) => !line.startsWith("sent")),
    [
      "seal 1/0",
      ...["failed split 1 1.0-1 1.1-2", "failed split 1 1.0-1 1.1-2", "split 1 1.0-1 1.1-2"],
      ...["failed skip 1.0-1", "failed skip 1.0-1", "skip 1.0-1"],
      "stored 1.1-2",
    ],
  );
  const letters = await lane.letters();
  assert.equal(letters.length, 1);
});

test("closing does not wait for a journal whose disk hangs", { timeout: 60_000 }, async () => {
  const seals: string[] = [];
  let asked = (): void => {};
  const sealing = new Promise<void>((resolve) => {
    asked = resolve;
  });
  const seal = ({ name }: { name: string }): Promise<void> => {
    seals.push(name);
    asked();
    return new Promise(() => {});
  };
  const lane = await openLane({ after }, rig, { journal: { ...NO_JOURNAL, seal } });
  lane.offer(upTo(100));
  await sealing;
  await lane.close();
  assert.deepEqual(seals, ["1"]);
});
