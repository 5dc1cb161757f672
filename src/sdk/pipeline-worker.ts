import { setTimeout as delay, setImmediate as nextTurn } from "node:timers/promises";
import { parentPort, workerData } from "node:worker_threads";
import { ColdpathError, messageOf } from "../base/errors.js";
import { SECOND_MS } from "../base/units.js";
import { Normaliser } from "../intake/normalise/normaliser.js";
import { OverflowIntake } from "../intake/overflow.js";
import { RingIntake } from "../intake/ring.js";
import { unlessAborted } from "../intake/unless-aborted.js";
import type { Recorder, TableWriter } from "../recorder.js";
import { LAST_SHARE } from "../ring/layout.js";
import { HANDED_COUNT, RingMemory } from "../ring/memory.js";
import { type OpenedClickHouse, openClickHouse } from "../service/open.js";
import { openRecorder } from "../service/open-recorder.js";
import { requirePolicyColumns } from "../service/policy-columns.js";
import { layoutOf } from "./layouts.js";
import { Ledger } from "./ledger.js";
import { tellLostRows } from "./lost-rows.js";
import { overflowFolder } from "./overflow.js";
import type { FromWorker, PipelineRequest, ToWorker, WorkerStart } from "./protocol.js";

/** The pipeline's thread: takes rows out of the rings and lands them, so that the trading thread does neither. */

/** Milliseconds between two looks at empty rings: nobody wakes this thread, for a wake-up is what would cost. */
const IDLE_MS = 1;
/** The same once so many looks have found nothing. */
const QUIET_MS = 4;
const QUIET_LOOKS = 250;
const OVERFLOW_LOOK_MS: number = SECOND_MS;

const { config, layouts: known, rings, owner, ledger: shared, previousRun } = workerData as WorkerStart;
const port = parentPort!;
const ledger = new Ledger(shared);
const tables = Object.keys(config.tables);

function send(message: FromWorker): void {
  port.postMessage(message);
}

class PipelineWorker {
  readonly #opened: OpenedClickHouse;
  readonly #recorder: Recorder;
  readonly #intake: RingIntake;
  readonly #normaliser: Normaliser;
  readonly #overflow: OverflowIntake;
  readonly #writers: readonly TableWriter[];
  readonly #closing = new AbortController();
  /** Rows in overflow files, counted by the rings, that are on disk. */
  #overflowSynced = 0;

  constructor(opened: OpenedClickHouse, recorder: Recorder, intake: RingIntake, normaliser: Normaliser) {
    this.#opened = opened;
    this.#recorder = recorder;
    this.#intake = intake;
    this.#normaliser = normaliser;
    this.#writers = tables.map((name) => recorder.table(name));
    this.#overflow = new OverflowIntake({
      folder: overflowFolder(config),
      owner,
      recorder,
      clickhouse: opened.clickhouse,
      normaliser,
      maxLineBytes: config.intake.max_line,
      onFailure: (path, message) =>
        send({ type: "event", event: { kind: "overflow_failed", path, message } }),
    });
  }

  async run(): Promise<void> {
    const overflow = this.#watchOverflow();
    let idle = 0;
    while (!this.#closing.signal.aborted) {
      idle = this.#intake.turn() > 0 ? 0 : idle + 1;
      this.#publish();
      if (idle === 0) await nextTurn();
      else await delay(idle < QUIET_LOOKS ? IDLE_MS : QUIET_MS);
    }
    await overflow;
  }

  #publish(): void {
    for (const [index, { pendingRows, storedRows, untoldRows }] of this.#writers.entries()) {
      const handed = this.#intake.handed(index);
      ledger.publish(index, { pending: pendingRows, stored: storedRows, untold: untoldRows, handed });
    }
  }

  async #watchOverflow(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      await this.#overflow.take(signal);
      await delay(OVERFLOW_LOOK_MS, undefined, { signal }).catch(() => {});
    }
  }

  addRing(buffer: SharedArrayBuffer): void {
    this.#intake.add(buffer);
  }

  async answer(request: PipelineRequest) {
    switch (request.kind) {
      case "stats":
        return { ...this.#recorder.stats(), lives: this.#normaliser.stats() };
      case "change":
        requirePolicyColumns(
          request.change.tables,
          Object.keys(request.change.tables).map((name) => this.#recorder.table(name).table),
        );
        this.#recorder.change(request.change);
        return undefined;
      case "replayed":
        await this.#recorder.replayed(request.table);
        return undefined;
      case "durable":
        if (!(await this.#empty(this.#intake.markLogged())))
          throw new ColdpathError("RECORDER_CLOSED", "the recorder is closed");
        await this.#syncOverflow();
        await this.#recorder.durable();
        return undefined;
      case "flush":
        await this.#empty();
        await this.#overflow.take(this.#closing.signal);
        await this.#recorder.flush(request.table);
        return undefined;
      case "close": {
        const deadline = performance.now() + request.deadlineMs;
        const { signal } = this.#closing;
        const limit = setTimeout(() => this.#closing.abort(), request.deadlineMs);
        await this.#empty();
        // It may have to wait for one that waits for ClickHouse.
        await unlessAborted(this.#overflow.take(signal), signal);
        clearTimeout(limit);
        // What another thread still records stays in its ring: a closed recorder would refuse it.
        this.#closing.abort();
        // What is in the log is not lost, whatever the deadline was.
        const isTaken = this.#intake.mark();
        while (!isTaken() && this.#intake.turn() > 0);
        await this.#intake.settled();
        const report = await this.#recorder.close({ deadlineMs: Math.max(0, deadline - performance.now()) });
        await this.#opened.close();
        return report;
      }
    }
  }

  /** Takes what the rings hold now; false if the recorder closed before it could: rows of a full table have to wait. */
  async #empty(isTaken: () => boolean = this.#intake.mark()): Promise<boolean> {
    while (!isTaken() && !this.#closing.signal.aborted) {
      if (this.#intake.turn() > 0) await nextTurn();
      else await delay(IDLE_MS);
    }
    await this.#intake.settled();
    return isTaken();
  }

  /** What producers wrote to files is on disk when it resolves. */
  async #syncOverflow(): Promise<void> {
    const { appended } = this.#intake;
    if (appended === this.#overflowSynced) return;
    await this.#overflow.sync();
    this.#overflowSynced = Math.max(this.#overflowSynced, appended);
  }
}

async function start(): Promise<void> {
  const opened = await openClickHouse(config, { connect: false });
  try {
    await startOn(opened);
  } catch (error) {
    await opened.close();
    throw error;
  }
}

async function startOn(opened: OpenedClickHouse): Promise<void> {
  const recorder = await openRecorder(config, opened, (event) => send({ type: "event", event }), {
    mayBeAway: true,
  });
  if (previousRun !== undefined)
    await tellLostRows({
      clickhouse: opened.clickhouse,
      recorder,
      recorderId: config.recorder.id,
      run: previousRun,
      tables,
      ledger,
      handed: (table) =>
        rings.reduce((sum, ring) => sum + RingMemory.attach(ring).countersOf(table)[HANDED_COUNT]!, 0),
      onLost: (table, rows) => send({ type: "event", event: { kind: "rows_lost", table, rows } }),
    });
  const layouts =
    known ??
    Object.entries(config.tables).map(([name, options]) => layoutOf(recorder.table(name).table, options));
  const normaliser = new Normaliser({ depth: config.tables.market_data.policy.depth });
  const onDamaged = (cells: number, cause: unknown): void => tellDamage(recorder, cells, messageOf(cause));
  const { size, critical_reserve } = config.ring;
  const openShare = (1 - critical_reserve / size) * (1 - LAST_SHARE);
  const intake = new RingIntake({ recorder, layouts, normaliser, openShare, onDamaged });
  for (const ring of rings) intake.add(ring);
  const worker = new PipelineWorker(opened, recorder, intake, normaliser);
  port.on("message", (message: ToWorker) => {
    if (message.type === "ring") worker.addRing(message.buffer);
    else {
      const { id, request } = message;
      worker.answer(request).then(
        (value) => {
          send({ type: "answer", id, value });
          if (request.kind === "close") port.close();
        },
        (error: unknown) => send(failure(id, error)),
      );
    }
  });
  const away = recorder.hasMet ? undefined : recorder.stats().link.probeError;
  send({ type: "ready", layouts, run: recorder.run.toString(), away });
  // Nothing else would end the thread; then another one is started.
  worker.run().catch((error: unknown) =>
    queueMicrotask(() => {
      throw error;
    }),
  );
}

function tellDamage(recorder: Recorder, cells: number, message: string): void {
  send({ type: "event", event: { kind: "ring_damaged", cells, message } });
  if (!tables.includes("system_events")) return;
  recorder.table("system_events").offerWhole({
    ts: new Date(),
    kind: "data_gap",
    severity: "error",
    component: "ring",
    message: `${cells} cells of a ring could not be read: ${message}`,
    attributes: { reason: "ring_damaged", cells: `${cells}` },
  });
}

function failure(id: number | undefined, error: unknown): FromWorker {
  const code = error instanceof ColdpathError ? error.code : "INTERNAL";
  return { type: "failed", id, code, message: messageOf(error) };
}

start().catch((error: unknown) => {
  send(failure(undefined, error));
  // Only this thread: what had been opened by then would keep it, and whoever waits for its end.
  process.exit();
});
