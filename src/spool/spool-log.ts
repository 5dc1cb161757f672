import { readdir } from "node:fs/promises";
import type { Clock } from "../base/clock.js";
import { BatchHistories } from "../wal/batch-histories.js";
import { CursorSaver } from "../wal/cursor-saver.js";
import type { WalEvent } from "../wal/events.js";
import { segmentNumber } from "../wal/format.js";
import { LogClient, type LogClientOptions } from "../wal/log-client.js";
import { LogJournal } from "../wal/log-journal.js";
import { LogReader } from "../wal/log-reader.js";
import type { DiskFacts, LogState } from "../wal/log-state.js";
import type { LogRecord } from "../wal/records.js";
import type { Committed, Damage, Recovered } from "../wal/recovered.js";
import { RowFates } from "../wal/row-fates.js";
import { SealedBatches } from "../wal/sealed-batches.js";
import type { SpoolEvent } from "./events.js";
import type { KeptBatch } from "./spooled-batch.js";

export interface SpoolLogOptions {
  readonly table: string;
  readonly dir: string;
  readonly segmentBytes: number;
  readonly clock: Clock;
  readonly report: (event: SpoolEvent) => void;
  /** The state of the disk has changed. */
  readonly onState: () => void;
  /** For tests. */
  readonly disk?: LogClientOptions["disk"];
}

/** What a spool's folder held when it was opened. */
export interface Found {
  /** Rows whose fate is not known, in the order they were written. */
  readonly batches: readonly KeptBatch[];
  readonly segments: readonly { readonly segment: number; readonly bytes: number }[];
}

/** The limits of a spool are its own: it gives way before the log's would be reached. */
const NO_LIMITS = { maxBytes: Number.MAX_SAFE_INTEGER, reserveBytes: 0, emergencyDisk: 2 } as const;

/** The log of one table's spool: the write-ahead log's files, thread and reader, with one batch to a frame. */
export class SpoolLog {
  readonly fates: RowFates;
  /** What the sink tells of the batches that come from here. */
  readonly journal: LogJournal;
  readonly #options: SpoolLogOptions;
  readonly #client: LogClient;
  readonly #reader: LogReader;
  readonly #cursors: CursorSaver;
  #syncedUpTo: number;

  private constructor(options: SpoolLogOptions, client: LogClient, recovered: Recovered) {
    const { table, dir, clock, report, onState } = options;
    this.#options = options;
    this.#client = client;
    this.#syncedUpTo = recovered.nextOrdinal - 1;
    this.fates = new RowFates(table, () => this.#cursors.changed());
    this.journal = new LogJournal(
      (records) => this.append(records),
      this.fates,
      new BatchHistories(table, recovered.marks),
    );
    this.#reader = new LogReader({
      dir,
      logId: client.logId,
      segments: recovered.segments,
      report: (damage) => report({ kind: "spool_damage", table, ...placeOf(damage) }),
    });
    this.#cursors = new CursorSaver({
      clock,
      cursor: () => ({ logId: client.logId, upTo: this.#syncedUpTo, tables: this.fates.runs }),
      save: (cursor) => client.saveCursor(cursor),
      onFailure: (message) => report({ kind: "spool_cursor_failed", table, message }),
    });
    client.on("state", onState);
  }

  /** Whether the folder has segments. */
  static async isUsed(dir: string): Promise<boolean> {
    const names = await readdir(dir).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return [];
      throw error;
    });
    return names.some((name) => segmentNumber(name) !== undefined);
  }

  /**
   * Takes the folder and recovers what is there.
   * @throws ColdpathError WAL_LOCKED, or why the log cannot be opened or read
   */
  static async open(options: SpoolLogOptions): Promise<{ readonly log: SpoolLog; readonly found: Found }> {
    const { dir, segmentBytes, disk } = options;
    const { client, recovered } = await LogClient.open({
      dir,
      segmentBytes,
      ...NO_LIMITS,
      report: (event) => tell(options, event),
      ...(disk === undefined ? {} : { disk }),
    });
    const log = new SpoolLog(options, client, recovered);
    try {
      return { log, found: await log.#find(recovered) };
    } catch (error) {
      await client.close();
      throw error;
    }
  }

  /** The disk as it was last seen. */
  get disk(): DiskFacts | undefined {
    return this.#client.disk;
  }

  get state(): { readonly state: LogState; readonly reason: string } {
    const { state, reason } = this.#client.stats();
    return { state, reason };
  }

  /** Resolves when the records are on disk. @throws ColdpathError if the spool is closed before */
  async append(records: readonly LogRecord[]): Promise<Committed> {
    const committed = await this.#client.append(records);
    this.#syncedUpTo = Math.max(this.#syncedUpTo, committed.upTo);
    return committed;
  }

  /** One Native block; undefined if the frame is damaged or gone. @throws the system's error, such as EIO */
  async read(ordinal: number): Promise<Uint8Array | undefined> {
    const { frames } = await this.#reader.next({
      table: this.fates.table,
      after: ordinal - 1,
      upTo: ordinal,
      maxBytes: 0,
      wanted: () => true,
    });
    return frames[0]?.payload;
  }

  /** Removes a segment; the promise may take as long as the disk refuses. */
  async unlink(segment: number): Promise<void> {
    await this.#client.unlink(segment);
  }

  /** Saves what is known and lets go of the folder. */
  async close(deadlineMs: number): Promise<void> {
    // While the disk refuses it is not waited for: what the cursor does not tell is asked for.
    if (this.#client.state === "ok" || this.#client.state === "slow") await this.#cursors.close();
    await this.#client.close(deadlineMs);
  }

  async #find({ segments, cursor, marks, nextOrdinal }: Recovered): Promise<Found> {
    const { table, clock } = this.#options;
    const runs = new Set(segments.flatMap(({ tables }) => tables.map(({ run }) => run)));
    for (const known of cursor?.tables ?? []) {
      if (known.table !== table || !runs.has(known.run)) continue;
      this.fates.stored(known.run, known.stored.map(spanOf));
      this.fates.skipped(known.run, known.skipped.map(spanOf));
    }
    for (const { record } of marks)
      if (record.kind === "skip" && record.table === table) this.fates.skipped(record.run, [record]);
    const sealed = new SealedBatches(table, marks);
    const batches: KeptBatch[] = [];
    const openedAt = clock.monotonic();
    // Nothing is wanted but to see what there is: the bytes of the rows stay on disk.
    const look = { table, after: 0, upTo: nextOrdinal - 1, maxBytes: 0 };
    await this.#reader.next({
      ...look,
      wanted: ({ ordinal, place, record: { run, partition, firstSeq, count } }) => {
        if (this.fates.isKnown(run, { firstSeq, count })) return false;
        const number = sealed.of(run, firstSeq)?.number;
        const batch = { run, partition, firstSeq, count, number, bytes: place.length, openedAt };
        batches.push({
          batch: { ...batch, sealed: undefined, inherited: true, ticket: undefined },
          place: { ordinal, segment: place.segment },
        });
        return false;
      },
    });
    return { batches, segments };
  }
}

function tell({ table, report }: SpoolLogOptions, event: WalEvent): void {
  // Its state is one of the spool's; that it was recovered is told with what was found.
  if (event.kind === "wal_damage") report({ ...event, kind: "spool_damage", table });
}

function placeOf({ segment, offset, bytes, reason }: Damage) {
  return { segment, offset, bytes, reason };
}

function spanOf({ first, last }: { readonly first: number; readonly last: number }) {
  return { firstSeq: first, count: last - first + 1 };
}
