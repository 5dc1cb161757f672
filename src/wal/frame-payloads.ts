import { type FileHandle, open } from "node:fs/promises";
import { KIB, MIB } from "../base/units.js";
import { HEAD_BYTES, readHead, recordBytes, seedOf } from "./format.js";
import { readFrom } from "./read-from.js";
import { payloadHolds } from "./scan.js";
import type { FrameEntry } from "./segment-frames.js";

/** Bytes read at once, unless a single frame has more. */
const READ_BYTES: number = 2 * MIB;
/** Bytes between two frames that are read along rather than left out with a read of its own. */
const GAP_BYTES: number = 32 * KIB;

/**
 * The payloads of frames of one segment, each with its checksum compared; undefined for those that are damaged.
 * @throws the system's error
 */
export async function readPayloads(
  path: string,
  logId: bigint,
  frames: readonly FrameEntry[],
): Promise<(Uint8Array | undefined)[]> {
  const payloads: (Uint8Array | undefined)[] = [];
  const file = await open(path, "r");
  try {
    for (let from = 0; from < frames.length; ) {
      const to = endOfRead(frames, from);
      payloads.push(...(await readTogether(file, logId, frames.slice(from, to))));
      from = to;
    }
  } finally {
    await file.close();
  }
  return payloads;
}

/** How many frames from `from` on lie side by side and are read at once. */
function endOfRead(frames: readonly FrameEntry[], from: number): number {
  const start = frames[from]!.place.offset;
  let end = start + frames[from]!.place.length;
  let to = from + 1;
  for (; to < frames.length; to += 1) {
    const { offset, length } = frames[to]!.place;
    if (offset < end || offset - end > GAP_BYTES || offset + length - start > READ_BYTES) break;
    end = offset + length;
  }
  return to;
}

async function readTogether(
  file: FileHandle,
  logId: bigint,
  frames: readonly FrameEntry[],
): Promise<(Uint8Array | undefined)[]> {
  const first = frames[0]!.place;
  const last = frames.at(-1)!.place;
  const size = last.offset + last.length - first.offset;
  const bytes = await readFrom(file, first.offset, size);
  const seed = seedOf(logId, first.segment);
  // A payload keeps all of `bytes` in memory, so one among much else is copied.
  const used = frames.reduce((sum, { place }) => sum + place.length, 0);
  return frames.map(({ ordinal, place }) => {
    const payload = payloadAt(bytes, place.offset - first.offset, place.length, ordinal, seed);
    return used * 2 < size && payload !== undefined ? Uint8Array.from(payload) : payload;
  });
}

function payloadAt(
  bytes: Buffer,
  at: number,
  length: number,
  ordinal: number,
  seed: number,
): Buffer | undefined {
  const head = readHead(bytes, at, bytes.length, seed);
  if (head === undefined || head.ordinal !== ordinal || recordBytes(head) !== length) return undefined;
  if (!payloadHolds(bytes, at, head)) return undefined;
  const start = at + HEAD_BYTES + head.aboutBytes;
  return bytes.subarray(start, start + head.payloadBytes);
}
