import assert from "node:assert/strict";
import { parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import { ColdpathError, messageOf } from "../base/errors.js";
import { SECOND_MS } from "../base/units.js";
import { keeperOf } from "./carry-rule.js";
import { type Disk, nodeDisk } from "./disk.js";
import { LogDiskError } from "./disk-error.js";
import { DiskLook } from "./disk-look.js";
import { type Carried, Log } from "./log.js";
import type { FromLog, Job, LogThreadStart, ToLog } from "./log-protocol.js";
import type { Trouble } from "./log-state.js";
import type { Recovered } from "./recovered.js";
import { timedDisk } from "./timed-disk.js";

/** The log's thread: the one place where somebody waits for the disk. */

const RETRY_MS = 250;
/** Between two looks at the disk. */
const LOOK_MS: number = SECOND_MS;
/** A disk with less room than so many reserves gets one at once, any other at the first look: it takes time to write. */
const TIGHT = 16;
const NOTHING: Carried = { places: [], lost: [] };

const start = workerData as LogThreadStart;
const port = parentPort!;

function send(message: FromLog): void {
  port.postMessage(message);
}

class LogWorker {
  readonly #log: Log;
  readonly #look: DiskLook;
  readonly #syncs: number[];
  readonly #looking: NodeJS.Timeout;
  #jobs: { readonly id: number; readonly job: Job }[] = [];
  #uncommitted = false;
  #trouble: Trouble | undefined;
  #retry: NodeJS.Timeout | undefined;

  constructor(log: Log, look: DiskLook, syncs: number[]) {
    this.#log = log;
    this.#look = look;
    this.#syncs = syncs;
    this.#looking = setInterval(() => {
      // While the disk refuses it is looked at more often.
      if (this.#trouble === undefined) this.#settle(this.#tend());
    }, LOOK_MS);
  }

  /** Tells that the log is open, and takes what is to be written. */
  begin(recovered: Recovered, seconds: number): void {
    // What another thread held back for want of a reserve must not go ahead because nobody has looked yet.
    const mustLook = start.resume !== undefined || this.#look.free < TIGHT * start.reserveBytes;
    const refused = mustLook ? this.#tend() : undefined;
    send({ type: "opened", recovered, seconds, disk: this.#look.report(this.#log) });
    this.#settle(refused);
    port.on("message", (message: ToLog) => this.#onMessage(message));
  }

  /** Takes all there is, so that one sync does for what came while the last one ran. */
  #onMessage(first: ToLog): void {
    for (let message: ToLog | undefined = first; message !== undefined; message = nextMessage()) {
      if (message.type === "close") {
        this.#close();
        return;
      }
      if (message.type === "job") this.#jobs.push(message);
      else this.#append(message);
    }
    // While the disk refuses, the pause between two tries stands.
    if (this.#trouble === undefined) this.#settle(this.#work());
  }

  #append({ first, records }: Extract<ToLog, { type: "append" }>): void {
    for (const [index, record] of records.entries()) {
      const ordinal = this.#log.append(record);
      assert.equal(ordinal, first + index, "the log counts otherwise than the pipeline");
    }
    this.#uncommitted = true;
  }

  /** Tells how it went, and tries again later what the disk refused. */
  #settle(error: LogDiskError | undefined): void {
    const trouble = error && { state: error.state, message: error.message };
    const before = this.#trouble;
    this.#trouble = trouble;
    if (trouble?.state === "full") this.#look.tended = true;
    if (trouble?.state !== before?.state) {
      this.#look.refresh();
      send({ type: "trouble", trouble, disk: this.#look.report(this.#log) });
    }
    clearTimeout(this.#retry);
    // Another thread makes the folder again.
    if (trouble?.state === "missing") endThread();
    else if (trouble !== undefined)
      this.#retry = setTimeout(() => this.#settle(this.#work() ?? this.#tend()), RETRY_MS);
  }

  /** The first refusal; what the disk takes in spite of it is done. */
  #work(): LogDiskError | undefined {
    const refused = this.#commit();
    return this.#doJobs() ?? refused;
  }

  #commit(): LogDiskError | undefined {
    if (!this.#uncommitted) return undefined;
    const began = performance.now();
    return refusalOf(() => {
      const committed = this.#log.commit();
      const ms = performance.now() - began;
      this.#uncommitted = false;
      this.#look.wrote(committed.places);
      const disk = this.#look.report(this.#log);
      send({ type: "committed", committed, ms, syncs: this.#syncs.splice(0), disk });
    });
  }

  #doJobs(): LogDiskError | undefined {
    const jobs = this.#jobs;
    this.#jobs = [];
    let first: LogDiskError | undefined;
    for (const waiting of jobs) {
      const { id, job } = waiting;
      // Carrying forward goes through the same buffer as a commit.
      const mustWait = job.kind === "carry" && this.#uncommitted;
      const refused = mustWait
        ? undefined
        : refusalOf(() => send({ type: "done", id, carried: this.#do(job) }));
      if (mustWait || refused !== undefined) this.#jobs.push(waiting);
      first ??= refused;
    }
    return first;
  }

  #do(job: Job): Carried {
    switch (job.kind) {
      case "cursor":
        // The cursor of a log that somebody has put another in place of is worth nothing.
        if (job.cursor.logId === this.#log.id) this.#log.saveCursor(job.cursor);
        return NOTHING;
      case "ledger":
        this.#log.saveLedger(job.bytes);
        return NOTHING;
      case "unlink":
        this.#log.unlink(job.segment);
        this.#look.removed(job.segment);
        return NOTHING;
      case "set_aside":
        this.#log.setAside(job.place);
        return NOTHING;
      case "carry": {
        const carried = this.#log.carry(job.segment, keeperOf(job.rule));
        this.#look.wrote(carried.places);
        this.#look.removed(job.segment);
        return carried;
      }
    }
  }

  #tend(): LogDiskError | undefined {
    const refused = refusalOf(() => this.#log.tend());
    this.#look.refresh();
    if (refused === undefined) this.#look.tended = true;
    send({ type: "disk", disk: this.#look.report(this.#log) });
    return refused;
  }

  #close(): void {
    clearInterval(this.#looking);
    clearTimeout(this.#retry);
    const refused = this.#work() ?? refusalOf(() => this.#log.close());
    if (refused !== undefined) this.#settle(refused);
    clearTimeout(this.#retry);
    port.close();
  }
}

/** What the disk refused; a defect is thrown, and ends the thread. */
function refusalOf(run: () => void): LogDiskError | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    if (error instanceof LogDiskError) return error;
    throw error;
  }
}

function nextMessage(): ToLog | undefined {
  return (receiveMessageOnPort(port) as { readonly message: ToLog } | undefined)?.message;
}

/** The pipeline starts another one. */
function endThread(): void {
  process.exit();
}

async function openDisk(): Promise<Disk> {
  return start.disk === undefined ? nodeDisk : ((await import(start.disk)) as { readonly disk: Disk }).disk;
}

async function run(): Promise<void> {
  const syncs: number[] = [];
  const disk = timedDisk(await openDisk(), (seconds) => syncs.push(seconds));
  const began = performance.now();
  let opened: { readonly log: Log; readonly recovered: Recovered };
  try {
    opened = Log.open({ ...start, disk, now: Date.now });
  } catch (error) {
    if (!(error instanceof ColdpathError)) throw error;
    const trouble =
      error instanceof LogDiskError ? { state: error.state, message: error.message } : undefined;
    send({ type: "not_opened", trouble, code: error.code, message: messageOf(error) });
    return endThread();
  }
  const { log, recovered } = opened;
  const look = new DiskLook(disk, start, recovered.segments);
  new LogWorker(log, look, syncs).begin(recovered, (performance.now() - began) / 1000);
}

await run();
