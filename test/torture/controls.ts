import type { Seen } from "../support/fault-proxy.js";
import { Gate, held, resetAfterStore } from "../support/fault-proxy-faults.js";
import type { Scene } from "./scene.js";
import { settle } from "./settle.js";
import { progress } from "./torture.js";
import type { Weakening } from "./weakened.js";

/** What has to happen for a mechanism to be needed: with it nothing is violated, and without it the oracle has to say so. */
export interface Control {
  readonly without: Weakening;
  /** What the disk does for both. */
  readonly disk?: Weakening;
  /** Ends with everything settled. */
  readonly run: (scene: Scene) => Promise<void>;
}

const READY_MS = 90_000;
/** Acknowledged between two events. */
const ROWS = 500;
const THREAD_KILLS = 3;

/** Answers to INSERTs that never come. */
const LOST_ANSWERS = 10;

/** Not the note that a run has begun. */
const isRows = ({ sql }: Seen): boolean => !sql.includes("recorder_runs");

export const CONTROLS: readonly Control[] = [
  {
    without: "no sync",
    disk: "power loss",
    async run({ engine, lanes: [lane] }) {
      const victim = lane!.start();
      await victim.told("ready", READY_MS);
      engine.kill();
      await progress(lane!, victim, lane!.progress(victim) + ROWS);
      await victim.kill();
      await engine.restart();
      await settle(lane!);
    },
  },
  {
    // Stored, and the answer lost: in the same life of ClickHouse the same rows are sent again, unasked.
    without: "no token",
    async run({ proxy, lanes: [lane] }) {
      proxy.on({ where: isRows, skip: 2, times: LOST_ANSWERS }, resetAfterStore);
      const victim = lane!.start();
      const lost = (): number => proxy.inserts.filter(({ fault }) => fault !== undefined).length;
      await proxy.until(() => lost() === LOST_ANSWERS);
      await lane!.finish(victim);
      await victim.died(READY_MS);
    },
  },
  {
    // Stored, and killed before anything of that was written down.
    without: "no asking",
    async run({ lanes: [lane] }) {
      const victim = lane!.start("sink.after_answer:3");
      await victim.told("ready", READY_MS);
      await victim.died(READY_MS);
      await settle(lane!);
    },
  },
  {
    // On its way when the recorder dies, out of reach of KILL QUERY, and delivered after the next one has stored the rows.
    without: "no seals",
    async run({ proxy, lanes: [lane] }) {
      const gate = new Gate();
      proxy.on({ where: isRows, skip: 2, times: 2 }, held(gate));
      const victim = lane!.start();
      await proxy.until(() => proxy.inserts.filter(({ fault }) => fault === "held").length === 2);
      await victim.kill();
      await settle(lane!);
      gate.open();
      await proxy.until(() =>
        proxy.inserts.every(({ fault, status }) => fault !== "held" || status !== undefined),
      );
    },
  },
  {
    // Logged, and the thread died before the ring was told.
    without: "no ring positions",
    async run({ lanes: [lane] }) {
      const victim = lane!.start();
      await victim.told("ready", READY_MS);
      for (let kill = 0; kill < THREAD_KILLS; kill += 1) {
        await progress(lane!, victim, (kill + 1) * ROWS);
        victim.order("kill thread when logged");
      }
      await victim.kill();
      await settle(lane!);
    },
  },
];
