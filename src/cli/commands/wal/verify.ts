import type { Command } from "commander";
import { damageReport } from "../../../wal/damage-report.js";
import { type CostlyDamage, type Verification, verifyLog } from "../../../wal/verify.js";
import { Context } from "../../context.js";
import { counted } from "../../counted.js";
import { withExamples } from "../../examples.js";
import { ProgressLine } from "../../progress-line.js";
import { damageText } from "./damage-text.js";
import { type LogOptions, logFolder, withDir } from "./log-folder.js";

export function registerVerify(group: Command): void {
  const verify = withDir(group.command("verify"))
    .description("compare every checksum; exit 1 if anything is damaged")
    .action(async (options: LogOptions, command: Command) => {
      const context = new Context(command);
      const line = new ProgressLine(context);
      const found = await verifyLog(logFolder(options, context), (bytes, total) =>
        line.show(`${Math.floor((100 * bytes) / Math.max(1, total))} % of ${total} bytes`),
      );
      line.end();
      context.result(text(found), {
        ...found,
        damage: found.damage.map((place) => ({ ...damageReport(place), pending: place.pending })),
        torn: found.torn.map(damageReport),
      });
      if (found.damage.length > 0) process.exitCode = 1;
    });
  withExamples(verify, [["coldpath wal verify", "beside a running recorder, too"]]);
}

function text({ segments, bytes, records, damage, torn }: Verification): string {
  const sum = `${counted(records, "sound record")} in ${counted(segments, "segment")}, ${bytes} bytes`;
  return [
    damage.length === 0 ? `no damage: ${sum}` : `damaged: ${counted(damage.length, "place")}; ${sum}`,
    ...damage.map((place) => `  ${damageText(damageReport(place))}${costText(place)}`),
    ...torn.map((place) => `unfinished at the end, as a crash leaves it: ${damageText(damageReport(place))}`),
  ].join("\n");
}

function costText({ record, pending }: CostlyDamage): string {
  if (record?.record.kind !== "rows") return "";
  if (pending === 0) return ": stored or given up, nothing is lost";
  return `: ${counted(pending, "row")} lost unless ClickHouse has them`;
}
