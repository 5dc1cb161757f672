import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { rmSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { SECOND_MS } from "../../../src/base/units.js";
import type { ConfigInput } from "../../../src/config/schema.js";
import type { ClickHouse } from "../../../src/index.js";
import type { EngineContext } from "../../support/engine.js";
import { FaultProxy } from "../../support/fault-proxy.js";
import { startMigratedEngine } from "../../support/migrated.js";
import { type Account, accountOf } from "./account.js";
import type { Market, Rates, Tally } from "./load.js";
import type { Counted, FromStressed, Sample, Step, StressStart, Timing, ToStressed } from "./messages.js";

/** What is around the recorder, for a phase to change. */
export interface Surroundings {
  /** Between the recorder and the engine; as the phase before left it. */
  readonly proxy: FaultProxy;
  /** Has the pipeline's thread stand still. */
  readonly stall: (ms: number) => void;
  /** From now on, until it is there again, the log's disk has no room. */
  readonly fillDisk: () => void;
  readonly emptyDisk: () => void;
}

export interface Phase {
  readonly name: string;
  readonly seconds: number;
  readonly rates: Rates;
  readonly begin?: (around: Surroundings) => Promise<void> | void;
}

export interface Stress {
  readonly market: Market;
  readonly phases: readonly Phase[];
  /** While it waits for the levels to be normal again. */
  readonly afterwards: Rates;
  readonly config?: ConfigInput;
  /** A control: what is missing is not written down. */
  readonly withoutGaps?: boolean;
}

export interface Stressed {
  readonly samples: readonly Sample[];
  readonly steps: readonly Step[];
  readonly timings: readonly Timing[];
  readonly counted: Counted;
  readonly tally: Tally;
  readonly account: Account;
  /** Where the rows are. */
  readonly clickhouse: ClickHouse;
}

const RECOVERED_MAX_MS = 180 * SECOND_MS;
const LOOK_MS = 50;

/** Runs a recorder in a process of its own through all phases, until its levels are normal again, and draws up the account. */
export async function stress(t: EngineContext, plan: Stress): Promise<Stressed> {
  const { engine, clickhouse } = await startMigratedEngine(t);
  const proxy = await FaultProxy.start({ after: (fn) => t.after(fn) }, engine.url);
  const folder = await mkdtemp(join(tmpdir(), "coldpath-test-"));
  t.after(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  // Requests are kept with their bodies.
  const forgetting = setInterval(() => proxy.requests.splice(0), LOOK_MS);
  t.after(() => clearInterval(forgetting));
  const marker = join(folder, "full");
  const child = new Child(
    {
      market: plan.market,
      withoutGaps: plan.withoutGaps === true,
      fullDisk: marker,
      config: {
        ...plan.config,
        data_dir: folder,
        clickhouse: { url: proxy.url, database: "coldpath" },
      },
    },
    engine.password,
  );
  t.after(() => child.kill());
  await child.until(() => child.isReady);
  const around: Surroundings = {
    proxy,
    stall: (ms) => child.order({ kind: "stall", ms }),
    fillDisk: () => writeFileSync(marker, ""),
    emptyDisk: () => rmSync(marker),
  };
  for (const { name, seconds, rates, begin } of plan.phases) {
    await begin?.(around);
    child.order({ kind: "phase", name, rates });
    const end = performance.now() + seconds * SECOND_MS;
    await child.until(() => performance.now() > end);
  }
  child.order({ kind: "phase", name: "afterwards", rates: plan.afterwards });
  const giveUpAt = performance.now() + RECOVERED_MAX_MS;
  const before = child.samples.length;
  await child.until(() => {
    const isNormal = child.samples.length > before + 1 && child.samples.at(-1)!.level === 0;
    return isNormal || performance.now() > giveUpAt;
  });
  child.order({ kind: "finish" });
  await child.until(() => child.done !== undefined);
  const { tally, timings, counted } = child.done!;
  const account = await accountOf(clickhouse, tally);
  return { samples: child.samples, steps: child.steps, timings, counted, tally, account, clickhouse };
}

/** The process that is stressed, and what it has told. */
class Child {
  readonly samples: Sample[] = [];
  readonly steps: Step[] = [];
  done: (FromStressed & { readonly kind: "done" }) | undefined;
  isReady = false;
  readonly #process: ChildProcess;

  constructor(start: StressStart, password: string) {
    this.#process = fork(new URL("./stressed-child.js", import.meta.url), [JSON.stringify(start)], {
      env: { ...process.env, COLDPATH_CLICKHOUSE_PASSWORD: password },
      serialization: "advanced",
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    this.#process.on("message", (message: FromStressed) => {
      if (message.kind === "sample") this.samples.push(message.sample);
      else if (message.kind === "step") this.steps.push(message.step);
      else if (message.kind === "ready") this.isReady = true;
      else this.done = message;
    });
  }

  order(message: ToStressed): void {
    this.#process.send(message);
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      if (this.done === undefined && !this.#process.connected)
        throw new Error(`the stressed process ended: ${this.#process.exitCode ?? this.#process.signalCode}`);
      await delay(LOOK_MS);
    }
  }

  async kill(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const exited = once(this.#process, "exit");
    this.#process.kill("SIGKILL");
    await exited;
  }
}
