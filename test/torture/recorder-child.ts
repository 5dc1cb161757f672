import { setTimeout as delay } from "node:timers/promises";
import { BroadcastChannel } from "node:worker_threads";
import { loadConfig } from "../../src/config/load.js";
import type { ConfigInput } from "../../src/config/schema.js";
import type { RecorderEvent } from "../../src/recorder.js";
import { RecordingClient } from "../../src/sdk/create-recorder.js";
import { PipelineThread } from "../../src/sdk/pipeline-thread.js";
import { Ledger } from "./ledger.js";
import { type OfferedRow, offeredRow } from "./rows.js";
import { type Standing, standingOf } from "./standing.js";
import { heldByBoth, type ThreadNews, TORTURE_CHANNEL } from "./weight.js";

/**
 * A process that trades and records until it is killed. It writes down what it offers before it does, and what it was told
 * after it was told, so its file is right whenever the kill comes.
 */

export interface RecorderStart {
  readonly config: ConfigInput;
  /** Number of this start among all. */
  readonly life: number;
  readonly ledger: string;
  readonly rowsPerSecond: number;
  readonly poisonEvery: number;
}

/** What it tells; it ends by itself when it is told `finish`, or when whoever started it is gone. */
export type RecorderNews =
  | { readonly kind: "ready" }
  | { readonly kind: "replayed" }
  /** So many rows of this life are acknowledged. */
  | { readonly kind: "progress"; readonly rows: number }
  | Standing
  /** Bytes that its threads hold. */
  | { readonly kind: "weight"; readonly bytes: number }
  /** What the recorder reports of itself. */
  | { readonly kind: "event"; readonly event: RecorderEvent };

const BURST_MS = 2;
/** A process that did not get to run does not make good for all of it at once: at most this part of a second. */
const BURSTS_MIN = 20;
/** As many calls of `durable()` may be open, which is far more than the log takes for. */
const OPEN_MAX = 200;

const start = JSON.parse(process.argv[2]!) as RecorderStart;
const ledger = new Ledger(start.ledger);
let isOver = false;

async function open(): Promise<RecordingClient> {
  const { config } = loadConfig({ env: process.env, cwd: process.cwd(), values: start.config });
  const entry = new URL("./pipeline-worker.js", import.meta.url);
  const { thread, layouts } = await PipelineThread.start(config, entry);
  return new RecordingClient(config, thread, layouts);
}

/** Rows come in bursts, on time, and somebody waits for each burst to be safe. */
async function produce(recorder: RecordingClient): Promise<void> {
  const first = offeredRow(start.life, 0).number;
  const begun = performance.now();
  let recorded = 0;
  let told = 0;
  const open = new Set<Promise<void>>();
  while (!isOver) {
    const due = Math.min(
      ((performance.now() - begun) / 1000) * start.rowsPerSecond,
      recorded + start.rowsPerSecond / BURSTS_MIN,
    );
    const rows: OfferedRow[] = [];
    for (; recorded < due; recorded += 1) rows.push(offeredRow(start.life, recorded, start.poisonEvery));
    ledger.offer(rows);
    for (const { table, number, row } of rows)
      if (!recorder.table(table as string).record(row)) ledger.refuse(number);
    const upTo = recorded;
    if (rows.length > 0) {
      const safe = recorder.durable().then(
        () => {
          // What is durable is so with all before it; each row is told of once, or reading it again takes for ever.
          if (upTo <= told) return;
          ledger.acknowledge(first + told, first + upTo - 1);
          told = upTo;
          tell({ kind: "progress", rows: told });
        },
        () => {},
      );
      open.add(safe);
      void safe.then(() => open.delete(safe));
    }
    if (open.size >= OPEN_MAX) await Promise.race(open);
    await delay(BURST_MS);
  }
  await Promise.all(open);
}

function tell(news: RecorderNews): void {
  process.send?.(news);
}

process.on("disconnect", () => process.exit());
const recorder = await open();
recorder.on("event", (event) => tell({ kind: "event", event }));
tell({ kind: "ready" });
const crash = new BroadcastChannel(TORTURE_CHANNEL);
process.on("message", (order) => {
  if (order === "finish") isOver = true;
  if (order === "stand")
    recorder.stats().then(
      (stats) => tell(standingOf(stats)),
      // It is closed by now.
      () => {},
    );
  if (order === "kill thread") crash.postMessage("die" satisfies ThreadNews);
  if (order === "kill thread when logged") crash.postMessage("die when logged" satisfies ThreadNews);
  if (order === "weigh") void heldByBoth().then((bytes) => tell({ kind: "weight", bytes }));
});
const replayed = recorder.replayed().then(() => tell({ kind: "replayed" }));
await produce(recorder);
await replayed;
await recorder.flush();
await recorder.close();
crash.close();
process.disconnect?.();
