import { once } from "node:events";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { ColdpathError } from "../base/errors.js";
import { type DamageReport, damageReport } from "./damage-report.js";
import type { DamageFound } from "./damage-worker.js";
import type { DamagedPlace } from "./damaged-places.js";
import type { WalEvent } from "./events.js";
import { segmentName } from "./format.js";
import type { KeptSegment, KeptSegments } from "./kept-segments.js";
import type { LogReader } from "./log-reader.js";
import type { LoggedBuffer } from "./logged-buffer.js";
import type { Purge, PurgedSegment } from "./purge.js";
import type { IndexEntry } from "./records.js";
import type { Damage } from "./recovered.js";
import type { RowFates } from "./row-fates.js";
import type { SegmentRemover } from "./segment-remover.js";
import { type SeqRange, SeqSet } from "./seq-set.js";

const DAMAGE_WORKER: URL = new URL("./damage-worker.js", import.meta.url);

export interface LogCareOptions {
  readonly dir: string;
  readonly segments: KeptSegments;
  readonly remover: SegmentRemover;
  readonly reader: Pick<LogReader, "next" | "tell">;
  readonly fatesOf: (table: string) => RowFates;
  readonly bufferOf: (
    table: string,
  ) => Pick<LoggedBuffer, "lostWith" | "unreadable" | "giveUp" | "sendingRows"> | undefined;
  readonly setAside: (damage: Damage) => Promise<void>;
  readonly report: (event: WalEvent) => void;
}

/** What a purge of a log in use removed. */
export interface PurgeInUse extends Purge {
  /** Rows that the sink has: they may be stored already, so they are neither given up nor taken out of the log. */
  readonly sending: readonly { readonly table: string; readonly rows: number }[];
}

/** What operators do with a log that a recorder writes to. */
export class LogCare {
  readonly #options: LogCareOptions;

  constructor(options: LogCareOptions) {
    this.#options = options;
  }

  /** The log's folder. */
  get dir(): string {
    return this.#options.dir;
  }

  /**
   * Reads the closed segments byte by byte, in a thread of its own, copies what is damaged to quarantine, and lets nobody wait for rows that
   * are lost with it. What an earlier call has done is not done, and not told, again.
   *
   * @param isDry only tells
   * @throws LogDiskError, and the system's error
   */
  async repair(isDry: boolean): Promise<readonly DamageReport[]> {
    const found = await this.#damagedPlaces();
    return await this.#options.remover.alone(async () => {
      const mended: DamageReport[] = [];
      for (const place of found) {
        const lost = await this.#lostWith(place);
        if (lost === undefined || (place.isAside && lost.length === 0)) continue;
        mended.push(damageReport(place));
        if (!isDry) await this.#mend(place, lost);
      }
      return mended;
    });
  }

  /**
   * Removes the closed segments of which nothing is needed. With `force` what is in the log is given up, but for what the sink has, and all
   * closed segments go. The segment that is written to stays.
   */
  async purge(force: boolean): Promise<PurgeInUse> {
    const { segments, remover, bufferOf, report } = this.#options;
    return await remover.alone(async () => {
      const before = await Promise.all(segments.all.map((segment) => this.#sized(segment)));
      const tables = this.#tables();
      const pending = tables.flatMap((table) => {
        const rows = force ? this.#giveUp(table) : this.#unknownOf(table);
        return rows === 0 ? [] : [{ table, pending: rows }];
      });
      remover.look();
      const gone = new Set<number>();
      for (const segment of segments.closed) {
        if (!force && !remover.isDone(segment)) continue;
        await remover.remove(segment, remover.neededOf(segment));
        gone.add(segment.segment);
      }
      const removed = before.filter(({ segment }) => gone.has(segment));
      const kept = before.filter(({ segment }) => !gone.has(segment));
      const bytes = removed.reduce((sum, each) => sum + each.bytes, 0);
      const rows = force ? pending.reduce((sum, each) => sum + each.pending, 0) : 0;
      if (removed.length + rows > 0) report({ kind: "wal_purged", segments: removed.length, bytes, rows });
      const sending = tables.flatMap((table) => {
        const held = bufferOf(table)?.sendingRows ?? 0;
        return force && held > 0 ? [{ table, rows: held }] : [];
      });
      return { removed, kept, pending, sending };
    });
  }

  async #damagedPlaces(): Promise<readonly DamagedPlace[]> {
    const worker = new Worker(DAMAGE_WORKER, { workerData: { dir: this.dir } });
    // A thread that dies of an error makes this throw it.
    const [found] = (await once(worker, "message")) as [DamageFound];
    if ("code" in found) throw new ColdpathError(found.code, found.message);
    return found.places;
  }

  /** Rows of unknown fate that are nowhere but in that place; undefined if its segment is gone. */
  async #lostWith({ segment, record: entry }: Damage): Promise<readonly SeqRange[] | undefined> {
    const { segments, bufferOf, fatesOf } = this.#options;
    const kept = segments.all.find((each) => each.segment === segment);
    if (kept === undefined) return undefined;
    if (entry?.record.kind !== "rows") return [];
    const { record } = entry;
    const { table, run, firstSeq, count } = record;
    const own = kept.tables.find((each) => each.table === table && each.run === run);
    const open =
      bufferOf(table)?.lostWith(record) ?? fatesOf(table).open(run, firstSeq, firstSeq + count - 1);
    const rows = open.flatMap(({ first, last }) => own?.rows.within(first, last) ?? []);
    return rows.length === 0 || (await this.#isReadable(entry)) ? [] : rows;
  }

  /** Whether the log has the frame a second time. */
  async #isReadable({ ordinal, record }: IndexEntry): Promise<boolean> {
    if (record.kind !== "rows") return false;
    const { table } = record;
    const wanted = { table, after: ordinal - 1, upTo: ordinal, maxBytes: 1 };
    const { frames } = await this.#options.reader.next({
      ...wanted,
      wanted: (entry) => entry.ordinal === ordinal,
    });
    return frames.some(({ payload }) => payload !== undefined);
  }

  async #mend(place: Damage, lost: readonly SeqRange[]): Promise<void> {
    const { reader, setAside, bufferOf, fatesOf } = this.#options;
    await setAside(place);
    reader.tell(place);
    const frame = place.record?.record;
    if (frame?.kind !== "rows") return;
    const { table, run } = frame;
    for (const { first, last } of lost) {
      const rows = { firstSeq: first, count: last - first + 1 };
      const buffer = bufferOf(table);
      if (buffer === undefined) fatesOf(table).unreadable(run, rows);
      else buffer.unreadable({ run, ...rows });
    }
  }

  /** Tables of which rows are in the log. */
  #tables(): string[] {
    const { segments } = this.#options;
    const names = segments.all.flatMap(({ tables }) => tables.map(({ table }) => table));
    return [...new Set(names)].sort();
  }

  /** Rows of unknown fate, each once however often it was copied. */
  #unknownOf(table: string): number {
    return this.#unknown(table).reduce((sum, { rows }) => sum + rows.size, 0);
  }

  #unknown(table: string): { readonly run: bigint; readonly rows: SeqSet }[] {
    const { segments, fatesOf } = this.#options;
    const runs = new Map<bigint, SeqSet>();
    for (const kept of segments.all.flatMap(({ tables }) => tables)) {
      if (kept.table !== table) continue;
      const rows = runs.get(kept.run) ?? new SeqSet();
      runs.set(kept.run, rows);
      for (const { first, last } of kept.rows.ranges)
        for (const range of fatesOf(table).unknown(kept.run, first, last)) rows.add(range.first, range.last);
    }
    return [...runs].map(([run, rows]) => ({ run, rows }));
  }

  /** Gives how many rows. */
  #giveUp(table: string): number {
    const { bufferOf, fatesOf } = this.#options;
    const buffer = bufferOf(table);
    if (buffer !== undefined) return buffer.giveUp().reduce((sum, { count }) => sum + count, 0);
    const rows = this.#unknownOf(table);
    for (const each of this.#unknown(table))
      for (const { first, last } of [...each.rows.ranges])
        fatesOf(table).skipped(each.run, [{ firstSeq: first, count: last - first + 1 }]);
    return rows;
  }

  async #sized({ segment, tables }: KeptSegment): Promise<PurgedSegment> {
    const { dir, fatesOf } = this.#options;
    const { size } = await stat(join(dir, segmentName(segment))).catch(() => ({ size: 0 }));
    const unknown = tables.flatMap(({ table, run, rows }) =>
      rows.ranges.flatMap(({ first, last }) => fatesOf(table).unknown(run, first, last)),
    );
    return {
      segment,
      bytes: size,
      pending: unknown.reduce((sum, { first, last }) => sum + last - first + 1, 0),
    };
  }
}
