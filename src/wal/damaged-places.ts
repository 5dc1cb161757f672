import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { setImmediate as breathe } from "node:timers/promises";
import { quarantineName } from "./quarantine.js";
import type { Damage } from "./recovered.js";
import { surveyLog } from "./survey.js";
import { readThrough } from "./verify.js";

/** A damaged place of a closed segment. */
export interface DamagedPlace extends Damage {
  /** Whether its bytes are in `quarantine/` already. */
  readonly isAside: boolean;
}

/**
 * Reads all closed segments of a log byte by byte; changes nothing, and may be asked beside a recorder. Takes as long as reading the log does.
 * @throws as `surveyLog`
 */
export async function damagedPlaces(dir: string): Promise<DamagedPlace[]> {
  const { logId, segments } = surveyLog(dir);
  const aside = new Set(namesIn(join(dir, "quarantine")));
  const places: DamagedPlace[] = [];
  for (const { segment, closed } of segments) {
    if (!closed) continue;
    for (const damage of readThrough(dir, { segment, closed }, logId!).damage)
      places.push({ ...damage, isAside: aside.has(quarantineName(segment, damage.offset)) });
    await breathe();
  }
  return places;
}

function namesIn(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder) : [];
}
