import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { statSync } from "node:fs";
import { dirname } from "node:path";
import { ColdpathError, type ErrorCode } from "../base/errors.js";
import { Histogram, type HistogramSnapshot } from "../base/histogram.js";
import { SECOND_MS } from "../base/units.js";
import type { CarryRule } from "./carry-rule.js";
import type { WalEvent } from "./events.js";
import { FolderLock } from "./lock.js";
import type { Carried, Resume } from "./log.js";
import { LogGrowth } from "./log-growth.js";
import type { DiskReport, FromLog, Job, LogThreadStart } from "./log-protocol.js";
import { type DiskFacts, LogHealth, type LogState, type Refusal } from "./log-state.js";
import { LogThread } from "./log-thread.js";
import type { LogRecord } from "./records.js";
import type { Committed, Cursor, Damage, RecordPlace, Recovered } from "./recovered.js";
import { bytesOf, Unsynced } from "./unsynced.js";

const LOG_WORKER: URL = new URL("./log-worker.js", import.meta.url);
const WATCH_MS = 250;
const CLOSE_DEADLINE_MS: number = 5 * SECOND_MS;
/** So long a thread that has nothing more to do may take to end. */
const END_MS: number = SECOND_MS;
/** Seconds: from a disk with a cache of its own to one that hangs. */
const SYNC_BOUNDS: readonly number[] = [
  0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10,
];

export interface LogClientOptions {
  /** Folder of the log; made if need be. */
  readonly dir: string;
  readonly segmentBytes: number;
  /** Live segments; from there on rows are refused. */
  readonly maxBytes: number;
  /** Kept free for what empties the log when the disk is full. */
  readonly reserveBytes: number;
  /** Share of the disk, 0 to 1, from which on rows are refused. */
  readonly emergencyDisk: number;
  /** Must not throw. */
  report(event: WalEvent): void;
  /** For tests: a module whose export `disk` is used in place of the machine's disk; it finds `data` in `workerData.diskData`. */
  readonly disk?: { readonly module: URL; readonly data?: unknown };
}

export interface LogStats {
  readonly state: LogState;
  readonly reason: string;
  readonly refusing: Refusal | undefined;
  /** Of live segments, and the most that they may be. */
  readonly bytes: number;
  readonly max: number;
  readonly segments: number;
  /** Age of the oldest live segment. */
  readonly oldestSeconds: number | undefined;
  /** Durations of `fdatasync`. */
  readonly syncSeconds: HistogramSnapshot;
  /** Rows and marks that wait for the disk, roughly. */
  readonly unsyncedBytes: number;
  readonly freeBytes: number;
  /** Until rows are refused, as the last minute went. */
  readonly secondsUntilFull: number | undefined;
  /** Files in `quarantine/`. */
  readonly quarantined: number;
  /** Damaged places found since the start. */
  readonly damaged: number;
  /** Threads of the log that died. */
  readonly restarts: number;
}

interface LogClientEvents {
  /** State or refusal changed. */
  state: [];
}

interface PendingJob {
  readonly job: Job;
  readonly resolve: (carried: Carried) => void;
  readonly reject: (error: Error) => void;
}

type Opened = Extract<FromLog, { type: "opened" }>;

/**
 * The log as the pipeline thread has it. Whatever the disk or the log's own thread does, promises given here take longer and do
 * not fail: what is not on the disk is kept and written again. They fail when the log is closed before they are kept.
 */
export class LogClient extends EventEmitter<LogClientEvents> {
  readonly #options: LogClientOptions;
  readonly #lock: FolderLock;
  readonly #thread: LogThread;
  readonly #health: LogHealth;
  readonly #growth = new LogGrowth();
  readonly #syncSeconds = new Histogram(SYNC_BOUNDS);
  readonly #watch: NodeJS.Timeout;
  /** Of the file system that the folder was on at first. */
  readonly #device: number;
  readonly #jobs = new Map<number, PendingJob>();
  #unsynced = new Unsynced(1);
  #jobCount = 0;
  #disk: DiskReport | undefined;
  #logId = 0n;
  #lastSegment = 0;
  #told: { readonly state: LogState; readonly limit: Refusal | undefined } = {
    state: "ok",
    limit: undefined,
  };
  #cause: "start" | "thread" | "folder" = "start";
  #damaged = 0;
  #restarts = 0;
  #closing: Promise<void> | undefined;
  /** Called when nothing waits for the disk. */
  #idle: (() => void) | undefined;
  #first: { resolve(recovered: Recovered): void; reject(error: Error): void } | undefined;

  private constructor(options: LogClientOptions, lock: FolderLock) {
    super();
    this.#options = options;
    this.#lock = lock;
    this.#health = new LogHealth(options);
    this.#device = deviceOf(options.dir);
    this.#thread = new LogThread({
      entry: LOG_WORKER,
      start: () => this.#start(),
      onMessage: (message) => this.#onMessage(message),
      onDown: (reason) => this.#onDown(reason),
    });
    this.#watch = setInterval(() => setImmediate(() => this.#look()), WATCH_MS).unref();
  }

  /**
   * Takes the folder, starts the log's thread and has it recover what is there.
   *
   * @throws ColdpathError `WAL_LOCKED`, or why the log cannot be opened
   */
  static async open(options: LogClientOptions): Promise<{ client: LogClient; recovered: Recovered }> {
    const lock = await FolderLock.take(options.dir);
    const client = new LogClient(options, lock);
    try {
      const recovered = await new Promise<Recovered>((resolve, reject) => {
        client.#first = { resolve, reject };
      });
      return { client, recovered };
    } catch (error) {
      await client.close();
      throw error;
    }
  }

  /** Of the folder's log. */
  get logId(): bigint {
    return this.#logId;
  }

  get state(): LogState {
    return this.#health.state(performance.now()).state;
  }

  /** The disk as the log's thread saw it last: another object each time. */
  get disk(): DiskFacts | undefined {
    return this.#disk;
  }

  /**
   * Why rows are not to be given to {@link append} now: they would wait, and take memory.
   *
   * @param isFull whether as many rows as may wait for the disk already, by the caller's own count
   */
  refusing(isFull = false): Refusal | undefined {
    return this.#health.refusing(performance.now(), isFull);
  }

  /**
   * Writes the records in order, one after the other in the log. The payloads must stay as they are until then.
   *
   * @returns once they are on the disk: where each of them is
   * @throws ColdpathError `RECORDER_CLOSED`, or `DEADLINE` when the disk did not take them before the log was closed
   */
  async append(records: readonly LogRecord[]): Promise<Committed> {
    assert(records.length > 0, "nothing to append");
    this.#assertOpen();
    return await new Promise((resolve, reject) => {
      const append = { records, bytes: bytesOf(records), since: performance.now(), resolve, reject };
      if (this.#holds && records.some(bringsRows)) this.#unsynced.hold(append);
      else this.#post(this.#unsynced.add(append), records);
      this.#afterChange();
    });
  }

  /** Saves how far the fate of rows is known. */
  async saveCursor(cursor: Cursor): Promise<void> {
    await this.#do({ kind: "cursor", cursor });
  }

  /** Saves the keys of idempotent requests. */
  async saveLedger(bytes: Uint8Array): Promise<void> {
    await this.#do({ kind: "ledger", bytes });
  }

  /** Removes a closed segment of which nothing is needed any more. */
  async unlink(segment: number): Promise<void> {
    await this.#do({ kind: "unlink", segment });
  }

  /** Copies damaged bytes to `quarantine/`. */
  async setAside({ segment, offset, bytes }: Pick<Damage, "segment" | "offset" | "bytes">): Promise<void> {
    await this.#do({ kind: "set_aside", place: { segment, offset, bytes } });
  }

  /**
   * Copies the records that are needed to the end of the log and removes the segment.
   *
   * @returns where the copies are, and what of them was damaged
   */
  async carry(segment: number, rule: CarryRule): Promise<Carried> {
    return await this.#do({ kind: "carry", segment, rule });
  }

  /** What is waited for is written if the disk takes it in time; then the folder is free for another. */
  async close(deadlineMs: number = CLOSE_DEADLINE_MS): Promise<void> {
    this.#closing ??= this.#end(deadlineMs);
    await this.#closing;
  }

  stats(): LogStats {
    const now = performance.now();
    const disk = this.#disk;
    const { maxBytes, emergencyDisk } = this.#options;
    const spared = (disk?.total ?? 0) * (1 - emergencyDisk);
    return {
      ...this.#health.state(now),
      refusing: this.#health.refusing(now),
      bytes: disk?.bytes ?? 0,
      max: maxBytes,
      segments: disk?.segments ?? 0,
      oldestSeconds:
        disk?.oldestAt === undefined ? undefined : Math.max(0, Date.now() - disk.oldestAt) / SECOND_MS,
      syncSeconds: this.#syncSeconds.snapshot(),
      unsyncedBytes: this.#unsynced.bytes,
      freeBytes: disk?.free ?? 0,
      secondsUntilFull: this.#growth.secondsUntil(maxBytes - (disk?.bytes ?? 0), (disk?.free ?? 0) - spared),
      quarantined: disk?.quarantined ?? 0,
      damaged: this.#damaged,
      restarts: this.#restarts,
    };
  }

  /** While the reserve is in use it is for what empties the log. */
  get #holds(): boolean {
    return this.#disk?.reserved === false;
  }

  #start(): LogThreadStart | undefined {
    // An empty mount point is no place for the log: what is written there is hidden when the disk comes back.
    if (deviceOf(this.#options.dir) !== this.#device) return undefined;
    const { dir, segmentBytes, reserveBytes, disk } = this.#options;
    return {
      dir,
      segmentBytes,
      reserveBytes,
      resume: this.#cause === "start" ? undefined : this.#resume,
      disk: disk?.module.href,
      diskData: disk?.data,
    };
  }

  get #resume(): Resume {
    return { ...this.#unsynced.resume, logId: this.#logId, nextSegment: this.#lastSegment + 1 };
  }

  #post(first: number, records: readonly LogRecord[]): void {
    const transfer: ArrayBuffer[] = [];
    const sent = records.map((record) => compact(record, transfer));
    this.#thread.post({ type: "append", first, records: sent }, transfer);
  }

  async #do(job: Job): Promise<Carried> {
    this.#assertOpen();
    return await new Promise((resolve, reject) => {
      this.#jobCount += 1;
      this.#jobs.set(this.#jobCount, { job, resolve, reject });
      this.#thread.post({ type: "job", id: this.#jobCount, job }, []);
      this.#afterChange();
    });
  }

  #onMessage(message: FromLog): void {
    const now = performance.now();
    if ("disk" in message) {
      this.#disk = message.disk;
      this.#health.measured(message.disk);
    }
    switch (message.type) {
      case "disk":
        this.#growth.sample(now, message.disk);
        break;
      case "opened":
        this.#onOpened(message);
        break;
      case "not_opened":
        if (message.trouble !== undefined) this.#health.troubled(message.trouble);
        this.#first?.reject(new ColdpathError(message.code as ErrorCode, message.message));
        break;
      case "committed":
        for (const seconds of message.syncs) this.#syncSeconds.observe(seconds);
        this.#health.committed(message.ms, now);
        this.#unsynced.settle(message.committed);
        this.#noteSegments(message.committed.places);
        break;
      case "done":
        this.#noteSegments(message.carried.places);
        this.#jobs.get(message.id)?.resolve(message.carried);
        this.#jobs.delete(message.id);
        break;
      case "trouble":
        this.#health.troubled(message.trouble);
        if (message.trouble?.state === "missing") this.#cause = "folder";
        break;
    }
    if (!this.#holds)
      for (const { first, append } of this.#unsynced.release()) this.#post(first, append.records);
    this.#afterChange();
  }

  #onOpened({ recovered, seconds }: Opened): void {
    this.#logId = recovered.logId;
    this.#lastSegment = Math.max(this.#lastSegment, recovered.segments.at(-1)?.segment ?? 0);
    this.#health.down(undefined);
    this.#health.troubled(undefined);
    const cause = this.#cause;
    if (cause === "start") this.#unsynced = new Unsynced(recovered.nextOrdinal);
    else this.#postAgain();
    this.#cause = "thread";
    this.#damaged += recovered.damage.length;
    for (const { segment, offset, bytes, reason } of recovered.damage)
      this.#options.report({ kind: "wal_damage", segment, offset, bytes, reason });
    this.#options.report({
      kind: "wal_recovered",
      cause,
      segments: recovered.segments.length,
      bytes: this.#disk?.bytes ?? 0,
      seconds,
      written: this.#unsynced.numbered.reduce((sum, { append }) => sum + append.records.length, 0),
    });
    this.#first?.resolve(recovered);
    this.#first = undefined;
  }

  #postAgain(): void {
    for (const { first, append } of this.#unsynced.numbered) this.#post(first, append.records);
    for (const [id, { job }] of this.#jobs) this.#thread.post({ type: "job", id, job }, []);
  }

  #onDown(reason: string): void {
    if (this.#first !== undefined) {
      // Whoever opens the log is told; there is nothing to start again.
      this.#first.reject(new ColdpathError("WAL_FAILED", reason));
    } else if (this.#cause !== "folder") {
      this.#restarts += 1;
      this.#health.down(reason);
      this.#afterChange();
    }
  }

  #noteSegments(places: readonly RecordPlace[]): void {
    this.#lastSegment = Math.max(this.#lastSegment, places.at(-1)?.place.segment ?? 0);
  }

  #look(): void {
    const { oldest } = this.#unsynced;
    const now = performance.now();
    if (oldest !== undefined) this.#health.took(now - oldest, now);
    this.#afterChange();
  }

  #afterChange(): void {
    this.#health.waiting(this.#unsynced.bytes);
    const isIdle = this.#isIdle;
    if (isIdle) this.#idle?.();
    this.#thread.keepProcess(this.#first !== undefined || !isIdle || this.#closing !== undefined);
    const now = performance.now();
    const { state, reason } = this.#health.state(now);
    const limit = this.#health.limit;
    const { state: from, limit: limitBefore } = this.#told;
    if (state === from && limit === limitBefore) return;
    this.#told = { state, limit };
    this.#options.report({ kind: "wal_state", from, to: state, reason, refusing: limit });
    this.emit("state");
  }

  #assertOpen(): void {
    if (this.#closing !== undefined) throw new ColdpathError("RECORDER_CLOSED", "the log is closed");
  }

  async #end(deadlineMs: number): Promise<void> {
    // A thread that died is started again for what it left.
    await before(deadlineMs, new Promise<void>((resolve) => this.#onIdle(resolve)));
    this.#thread.close();
    // One that hangs in the disk may still write: the folder stays its own until it has ended.
    await before(
      END_MS,
      this.#thread.exited.then(() => this.#lock.release()),
    );
    clearInterval(this.#watch);
    const { reason } = this.#health.state(performance.now());
    const error = new ColdpathError(
      "DEADLINE",
      `the log was closed before the disk took everything: ${reason}`,
    );
    this.#unsynced.rejectAll(error);
    for (const { reject } of this.#jobs.values()) reject(error);
    this.#jobs.clear();
    this.#thread.keepProcess(false);
  }

  #onIdle(run: () => void): void {
    this.#idle = run;
    this.#afterChange();
  }

  get #isIdle(): boolean {
    return this.#unsynced.isEmpty && this.#jobs.size === 0;
  }
}

/** Waits for it, but not longer than that. */
async function before(ms: number, done: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([done, late]);
  clearTimeout(timer);
}

/** The file system of the folder, or of the nearest one above it that is there. */
function deviceOf(path: string): number {
  const found = statSync(path, { throwIfNoEntry: false });
  return found === undefined ? deviceOf(dirname(path)) : found.dev;
}

/** Rows, and the promise of an answer that they are taken; everything else helps to empty the log. */
function bringsRows({ kind }: LogRecord): boolean {
  return kind === "rows" || kind === "group_end";
}

/** A part of a larger buffer would take all of that along: its bytes are copied out, and given away. */
function compact(record: LogRecord, transfer: ArrayBuffer[]): LogRecord {
  if (record.kind !== "rows" || record.payload.byteLength === record.payload.buffer.byteLength) return record;
  const payload = new Uint8Array(record.payload);
  transfer.push(payload.buffer);
  return { ...record, payload };
}
