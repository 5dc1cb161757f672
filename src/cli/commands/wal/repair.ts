import type { Command } from "commander";
import { nodeDisk } from "../../../wal/disk.js";
import { Log } from "../../../wal/log.js";
import type { Damage } from "../../../wal/recovered.js";
import { surveyLog } from "../../../wal/survey.js";
import { Context } from "../../context.js";
import { withExamples } from "../../examples.js";
import { damageJson, damageText } from "./damage-text.js";
import { alone, type LogOptions, logFolder, withDir } from "./log-folder.js";

/** Nothing is written but the ends of segments, so their size does not matter. */
const SEGMENT_BYTES = 1;

interface Repair {
  readonly closed: readonly number[];
  readonly damage: readonly Damage[];
  readonly torn: readonly Damage[];
}

export function registerRepair(group: Command): void {
  const repair = withDir(group.command("repair"))
    .option("--dry-run", "say what would be done, change nothing")
    .description("what a start does: damaged bytes to quarantine, torn ends cut, segments closed")
    .action(async (options: LogOptions & { dryRun?: boolean }, command: Command) => {
      const context = new Context(command);
      const dir = logFolder(options, context);
      const isDry = options.dryRun === true;
      const repair = isDry ? look(dir) : await alone(dir, () => mendLog(dir));
      context.result(text(repair, isDry), {
        dry_run: isDry,
        closed: repair.closed,
        damage: repair.damage.map(damageJson),
        torn: repair.torn.map(damageJson),
      });
    });
  withExamples(repair, [
    ["coldpath wal repair --dry-run", "what a start would mend"],
    ["coldpath wal repair", "mend it"],
  ]);
}

function look(dir: string): Repair {
  const { segments, damage, torn } = surveyLog(dir);
  return { closed: segments.filter(({ closed }) => !closed).map(({ segment }) => segment), damage, torn };
}

/** @throws LogDiskError */
function mendLog(dir: string): Repair {
  const { closed } = look(dir);
  const { log, recovered } = Log.open({
    dir,
    segmentBytes: SEGMENT_BYTES,
    disk: nodeDisk,
    now: Date.now,
    reserveBytes: 0,
  });
  log.close();
  if (recovered.trouble !== undefined) throw recovered.trouble;
  return { closed, damage: recovered.damage, torn: recovered.torn };
}

function text({ closed, damage, torn }: Repair, isDry: boolean): string {
  if (closed.length + damage.length + torn.length === 0) return "nothing to mend";
  const would = isDry ? "would be " : "";
  return [
    ...damage.map((place) => `${would}put aside: ${damageText(place)}`),
    ...torn.map((place) => `${would}cut: ${damageText(place)}`),
    ...closed.map((segment) => `${would}closed: segment ${segment}`),
  ].join("\n");
}
