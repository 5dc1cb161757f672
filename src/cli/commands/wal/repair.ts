import type { Command } from "commander";
import { type DamageReport, damageReport } from "../../../wal/damage-report.js";
import { type DamagedPlace, damagedPlaces } from "../../../wal/damaged-places.js";
import { nodeDisk } from "../../../wal/disk.js";
import { LogDiskError } from "../../../wal/disk-error.js";
import { Log } from "../../../wal/log.js";
import { surveyLog } from "../../../wal/survey.js";
import { Context } from "../../context.js";
import { withExamples } from "../../examples.js";
import { damageText } from "./damage-text.js";
import { aloneOrAsked, type LogOptions, logFolder, withDir } from "./log-folder.js";

/** Nothing is written but the ends of segments, so their size does not matter. */
const SEGMENT_BYTES = 1;

interface Repair {
  readonly dryRun: boolean;
  readonly closed: readonly number[];
  readonly damage: readonly DamageReport[];
  readonly torn: readonly DamageReport[];
}

export function registerRepair(group: Command): void {
  const repair = withDir(group.command("repair"))
    .option("--dry-run", "say what would be done, change nothing")
    .description(
      "put damaged bytes in quarantine, cut torn ends, close segments; a running service does it itself",
    )
    .action(async (options: LogOptions & { dryRun?: boolean }, command: Command) => {
      const context = new Context(command);
      const dir = logFolder(options, context);
      const isDry = options.dryRun === true;
      const asked = { context, path: "/api/wal/repair", query: { dryRun: `${isDry}` } };
      const { done } = await aloneOrAsked(dir, () => (isDry ? look(dir) : mendLog(dir)), asked).catch(
        async (error: unknown) => {
          // Nobody writes to such a log.
          if (isDry && error instanceof LogDiskError && error.state === "read_only")
            return { done: await look(dir) };
          throw error;
        },
      );
      context.result(text(done), done);
    });
  withExamples(repair, [
    ["coldpath wal repair --dry-run", "what would be mended"],
    ["coldpath wal repair", "mend it"],
  ]);
}

async function look(dir: string): Promise<Repair> {
  const { damage, torn } = surveyLog(dir);
  const rotten = await rottenPlaces(dir);
  return {
    dryRun: true,
    closed: openSegments(dir),
    damage: [...damage, ...rotten].map(damageReport),
    torn: torn.map(damageReport),
  };
}

/** What a start does, and beside that what it believes is read. @throws LogDiskError */
async function mendLog(dir: string): Promise<Repair> {
  const closed = openSegments(dir);
  const rotten = await rottenPlaces(dir);
  const { log, recovered } = Log.open({
    dir,
    segmentBytes: SEGMENT_BYTES,
    disk: nodeDisk,
    now: Date.now,
    reserveBytes: 0,
  });
  try {
    for (const place of rotten) log.setAside(place);
  } finally {
    log.close();
  }
  if (recovered.trouble !== undefined) throw recovered.trouble;
  return {
    dryRun: false,
    closed,
    damage: [...recovered.damage, ...rotten].map(damageReport),
    torn: recovered.torn.map(damageReport),
  };
}

function openSegments(dir: string): number[] {
  return surveyLog(dir).segments.flatMap(({ segment, closed }) => (closed ? [] : [segment]));
}

/** Damaged places of closed segments, which a start believes; not those that are in quarantine. */
async function rottenPlaces(dir: string): Promise<DamagedPlace[]> {
  return (await damagedPlaces(dir)).filter(({ isAside }) => !isAside);
}

function text({ dryRun: isDry, closed, damage, torn }: Repair): string {
  if (closed.length + damage.length + torn.length === 0) return "nothing to mend";
  const would = isDry ? "would be " : "";
  return [
    ...damage.map((place) => `${would}put aside: ${damageText(place)}`),
    ...torn.map((place) => `${would}cut: ${damageText(place)}`),
    ...closed.map((segment) => `${would}closed: segment ${segment}`),
  ].join("\n");
}
