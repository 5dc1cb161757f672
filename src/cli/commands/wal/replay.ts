import type { Command } from "commander";
import { Context } from "../../context.js";
import { withExamples } from "../../examples.js";
import { logText, replayLog } from "../../replay-log.js";
import { RunningService } from "../../running-service.js";
import { type Answer, inService } from "../replay.js";
import { askService, logFolder } from "./log-folder.js";

export function registerReplay(group: Command): void {
  const replay = group
    .command("replay")
    .requiredOption("--dir <folder>", "folder of the log, such as another host's")
    .description("store what a log has in the configured ClickHouse, asking for each row before it is sent")
    .action(async (options: { dir: string }, command: Command) => {
      const context = new Context(command);
      const dir = logFolder(options, context);
      const tables = await replayLog(dir, context, { isOther: true }).catch(async (error: unknown) => {
        const answer = await askService(dir, { context, path: "/api/replay" }, error);
        await inService(new RunningService(context.read()), answer as Answer, true, context);
      });
      if (tables === undefined) return;
      context.result(logText(tables), { dir, tables });
      if (tables.some(({ left }) => left > 0)) process.exitCode = 1;
    });
  withExamples(replay, [["coldpath wal replay --dir /mnt/desk-2/data/wal", "what another host left"]]);
}
