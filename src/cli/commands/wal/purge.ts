import type { Command } from "commander";
import { nodeDisk } from "../../../wal/disk.js";
import { Log } from "../../../wal/log.js";
import type { PurgeInUse } from "../../../wal/log-care.js";
import { purgeLog } from "../../../wal/purge.js";
import { Context } from "../../context.js";
import { counted } from "../../counted.js";
import { withExamples } from "../../examples.js";
import { aloneOrAsked, type LogOptions, logFolder, withDir } from "./log-folder.js";

/** Nothing is written but a segment's header, so its size does not matter. */
const SEGMENT_BYTES = 1;

/** What was removed, by whomever. */
type Purged = PurgeInUse & { readonly forced: boolean };

export function registerPurge(group: Command): void {
  const purge = withDir(group.command("purge"))
    .option("--force", "remove rows, too, that are not known to be stored: they are lost")
    .description("remove the segments whose rows are all stored or given up; of a running service, too")
    .action(async (options: LogOptions & { force?: boolean }, command: Command) => {
      const context = new Context(command);
      const dir = logFolder(options, context);
      const forced = options.force === true;
      const asked = { context, path: "/api/wal/purge", query: { force: `${forced}` } };
      const { done, isInUse } = await aloneOrAsked(dir, async () => purgeFolder(dir, forced), asked);
      context.result(text(done, isInUse), done);
      if (done.pending.length > 0 && !forced) process.exitCode = 1;
    });
  withExamples(purge, [["coldpath wal purge", "what is stored goes, nothing else"]]);
}

function purgeFolder(dir: string, forced: boolean): Purged {
  const { log, recovered } = Log.open({
    dir,
    segmentBytes: SEGMENT_BYTES,
    disk: nodeDisk,
    now: Date.now,
    reserveBytes: 0,
  });
  try {
    return { forced, ...purgeLog(log, recovered, forced), sending: [] };
  } finally {
    log.close();
  }
}

function text({ forced, removed, kept, pending, sending }: Purged, isInUse: boolean): string {
  const bytes = removed.reduce((sum, segment) => sum + segment.bytes, 0);
  const rows = pending.reduce((sum, table) => sum + table.pending, 0);
  const list = pending.map((table) => `${table.pending} of ${table.table}`).join(", ");
  const lines = [`removed: ${counted(removed.length, "segment")}, ${bytes} bytes`];
  if (forced && rows > 0) lines.push(`lost: ${counted(rows, "row")} not known to be stored: ${list}`);
  if (kept.length > 0) lines.push(`kept: ${counted(kept.length, "segment")}`);
  for (const held of sending)
    lines.push(`kept: ${counted(held.rows, "row")} of ${held.table} being sent: they may be stored already`);
  if (!forced && rows > 0) {
    lines.push(
      `refused: ${counted(rows, "row")} not known to be stored: ${list}`,
      `${isInUse ? "the recorder stores them when it can" : "a recorder that starts on this log stores them"}; --force removes them, and they are lost`,
    );
  }
  return lines.join("\n");
}
