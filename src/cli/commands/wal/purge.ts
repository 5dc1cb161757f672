import type { Command } from "commander";
import { nodeDisk } from "../../../wal/disk.js";
import { Log } from "../../../wal/log.js";
import { type Purge, purgeLog } from "../../../wal/purge.js";
import { Context } from "../../context.js";
import { counted } from "../../counted.js";
import { withExamples } from "../../examples.js";
import { alone, type LogOptions, logFolder, withDir } from "./log-folder.js";

/** Nothing is written but a segment's header, so its size does not matter. */
const SEGMENT_BYTES = 1;

export function registerPurge(group: Command): void {
  const purge = withDir(group.command("purge"))
    .option("--force", "remove rows, too, that are not known to be stored: they are lost")
    .description("remove the segments whose rows are all stored or given up")
    .action(async (options: LogOptions & { force?: boolean }, command: Command) => {
      const context = new Context(command);
      const dir = logFolder(options, context);
      const isForced = options.force === true;
      const purge = await alone(dir, () => purgeFolder(dir, isForced));
      context.result(text(purge, isForced), { forced: isForced, ...purge });
      if (purge.pending.length > 0 && !isForced) process.exitCode = 1;
    });
  withExamples(purge, [["coldpath wal purge", "what is stored goes, nothing else"]]);
}

function purgeFolder(dir: string, force: boolean): Purge {
  const { log, recovered } = Log.open({
    dir,
    segmentBytes: SEGMENT_BYTES,
    disk: nodeDisk,
    now: Date.now,
    reserveBytes: 0,
  });
  try {
    return purgeLog(log, recovered, force);
  } finally {
    log.close();
  }
}

function text({ removed, kept, pending }: Purge, isForced: boolean): string {
  const bytes = removed.reduce((sum, segment) => sum + segment.bytes, 0);
  const rows = pending.reduce((sum, table) => sum + table.pending, 0);
  const list = pending.map((table) => `${table.pending} of ${table.table}`).join(", ");
  const lines = [`removed: ${counted(removed.length, "segment")}, ${bytes} bytes`];
  if (isForced && rows > 0) lines.push(`lost: ${counted(rows, "row")} not known to be stored: ${list}`);
  if (kept.length > 0) lines.push(`kept: ${counted(kept.length, "segment")}`);
  if (!isForced && rows > 0) {
    lines.push(
      `refused: ${counted(rows, "row")} not known to be stored: ${list}`,
      "a recorder that starts on this log stores them; --force removes them, and they are lost",
    );
  }
  return lines.join("\n");
}
