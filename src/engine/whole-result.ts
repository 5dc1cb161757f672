import { rmSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import type { Readable } from "node:stream";
import { MIB } from "../base/units.js";
import { diskFull, writeAll } from "./spool.js";

/** A result in memory, or in a file that has no name any more. */
export interface WholeResult<T> {
  readonly counts: T;
  readonly body: Buffer | Readable;
  readonly bytes: number;
}

/** Bytes of a result that are kept in memory; more of them go to a file. */
const IN_MEMORY = 4 * MIB;

/**
 * Waits for the end of a result and keeps it meanwhile. We write the file, not the engine: the engine takes a full disk
 * for success and leaves a shorter result.
 *
 * @param file path for a result too large for memory
 * @throws what the result throws, and ClickHouseError 243 when the disk is full
 */
export async function collect<T>(result: AsyncGenerator<Buffer, T>, file: string): Promise<WholeResult<T>> {
  let held: Buffer[] = [];
  let heldBytes = 0;
  let bytes = 0;
  let handle: FileHandle | undefined;
  try {
    for (;;) {
      const next = await result.next();
      if (next.done === true) {
        const counts = next.value;
        if (handle === undefined) return { counts, body: Buffer.concat(held), bytes };
        await writeAll(handle, held);
        const body = handle.createReadStream({ start: 0 });
        handle = undefined;
        return { counts, body, bytes };
      }
      held.push(next.value);
      heldBytes += next.value.length;
      bytes += next.value.length;
      if (heldBytes < IN_MEMORY) continue;
      handle ??= await open(file, "wx+", 0o600);
      await writeAll(handle, held);
      held = [];
      heldBytes = 0;
    }
  } catch (error) {
    throw diskFull(error, "the result of a query") ?? error;
  } finally {
    rmSync(file, { force: true });
    await handle?.close();
    // Ends the statement if it was not over; its own exception is known by then.
    await result.return(undefined as T);
  }
}
