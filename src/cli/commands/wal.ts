import type { Command } from "commander";
import { withExamples } from "../examples.js";
import { registerInspect } from "./wal/inspect.js";
import { registerLs } from "./wal/ls.js";
import { registerPurge } from "./wal/purge.js";
import { registerRepair } from "./wal/repair.js";
import { registerReplay } from "./wal/replay.js";
import { registerVerify } from "./wal/verify.js";

export function registerWal(program: Command): void {
  const group = program
    .command("wal")
    .description("the log of critical rows: look into it, check, mend and trim it");
  registerLs(group);
  registerInspect(group);
  registerVerify(group);
  registerRepair(group);
  registerPurge(group);
  registerReplay(group);
  withExamples(group, [["coldpath wal ls", "what is in it, and how much of it is not stored"]]);
}
