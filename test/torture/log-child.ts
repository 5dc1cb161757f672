import { createHash, randomBytes } from "node:crypto";
import { openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { type Disk, nodeDisk } from "../../src/wal/disk.js";
import { segmentName } from "../../src/wal/format.js";
import { Log } from "../../src/wal/log.js";
import type { Recovered } from "../../src/wal/recovered.js";
import { readIndex, readRecord } from "../../src/wal/segment-reader.js";
import { seeded } from "../support/random.js";
import { PowerLossDisk } from "./power-loss-disk.js";

/** A process that does nothing but write a log, until it is killed; first it tells what it found in it. */

export interface LogStart {
  readonly dir: string;
  /** File it writes to before it offers, when it was told that a frame is safe, and before it lets frames go. */
  readonly ledger: string;
  readonly life: number;
  readonly seed: number;
  readonly disk: "real" | "power loss" | "no sync";
}

export type LogLine = readonly ["offered" | "acknowledged" | "forgotten", frame: string, hash?: string];

/** The frames that count, by name, with a hash of their payload. */
export interface LogNews {
  readonly kind: "ready";
  readonly frames: readonly (readonly [frame: string, hash: string])[];
}

const SEGMENT_BYTES = 40_000;
const PAYLOAD_MAX = 3_000;
/** More segments than this are not kept. */
const LIVING_MAX = 40;
const EARLY = 0.1;

const { dir, ledger, life, seed, disk: kind } = JSON.parse(process.argv[2]!) as LogStart;
const random = seeded(seed ^ life);
const disk: Disk =
  kind === "real" ? nodeDisk : new PowerLossDisk({ early: EARLY, random, lies: kind === "no sync" });
const fd = openSync(ledger, "wx");

function hashOf(payload: Uint8Array): string {
  return createHash("sha256").update(payload).digest("hex").slice(0, 16);
}

function write(lines: readonly LogLine[]): void {
  writeSync(fd, lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
}

/** Frames by their place, of segments that are closed by now. */
const living = new Map<number, { readonly ordinal: number; readonly frame: string }[]>();

function found(recovered: Recovered, logId: bigint): [string, string][] {
  return recovered.segments.flatMap(({ segment, dropped }) => {
    const path = join(dir, segmentName(segment));
    const file = disk.open(path, "read");
    const frames = readIndex(disk, path).flatMap(({ ordinal, place, record }): [string, string][] => {
      if (record.kind !== "rows") return [];
      if (dropped.some(({ first, last }) => first <= ordinal && ordinal <= last)) return [];
      const frame = `${record.run} ${record.firstSeq}`;
      living.set(segment, [...(living.get(segment) ?? []), { ordinal, frame }]);
      const read = readRecord(disk, file, place, logId);
      return read.kind === "rows" ? [[frame, hashOf(read.payload)]] : [];
    });
    disk.close(file);
    return frames;
  });
}

const options = { dir, segmentBytes: SEGMENT_BYTES, disk, now: Date.now, reserveBytes: 0 };
const { log, recovered } = Log.open(options);
process.send?.({ kind: "ready", frames: found(recovered, log.id) } satisfies LogNews);

function append(first: number): void {
  const count = 1 + random.below(4);
  const payloads = Array.from({ length: count }, () => randomBytes(1 + random.below(PAYLOAD_MAX)));
  const names = payloads.map((_, i) => `${life} ${first + i}`);
  write(payloads.map((payload, i) => ["offered", names[i]!, hashOf(payload)]));
  const place = { table: "orders", partition: "2026-11-01", run: BigInt(life) };
  for (const [i, payload] of payloads.entries())
    log.append({ kind: "rows", ...place, firstSeq: first + i, count: 1, positions: [], group: 0n, payload });
  const { places } = log.commit();
  write(names.map((name) => ["acknowledged", name]));
  for (const [i, { ordinal, place: at }] of places.entries()) {
    living.set(at.segment, [...(living.get(at.segment) ?? []), { ordinal, frame: names[i]! }]);
  }
}

/** Lets some frames of the oldest segment go: all of them, or all but those that are carried forward. */
function forget(): void {
  const [oldest, ...rest] = [...living.keys()].sort((one, other) => one - other);
  if (oldest === undefined || rest.length === 0) return;
  const frames = living.get(oldest)!;
  const kept = random() < 0.5 ? [] : frames.filter(() => random() < 0.5);
  write(frames.filter((each) => !kept.includes(each)).map(({ frame }) => ["forgotten", frame]));
  if (kept.length === 0) log.unlink(oldest);
  else {
    const ordinals = new Map(kept.map(({ ordinal, frame }) => [ordinal, frame]));
    const { places } = log.carry(oldest, ({ ordinal }) => ordinals.has(ordinal));
    for (const { ordinal, place } of places)
      living.set(place.segment, [
        ...(living.get(place.segment) ?? []),
        { ordinal, frame: ordinals.get(ordinal)! },
      ]);
  }
  living.delete(oldest);
}

process.on("disconnect", () => process.exit());
for (let first = 1; ; first += 10) {
  append(first);
  if (random() < 0.1 || living.size > LIVING_MAX) forget();
  if (random() < 0.1) log.saveCursor({ logId: log.id, upTo: first, tables: [] });
  // A turn for the one who wants to say that he is gone.
  await new Promise(setImmediate);
}
