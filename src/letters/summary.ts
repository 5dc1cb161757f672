import { type Selection, selectedLetters } from "./selection.js";

/** Letters of one table that were refused for the same reason. */
interface LetterGroup {
  readonly table: string;
  readonly code: string;
  /** Without the values that differ from row to row. */
  readonly reason: string;
  readonly letters: number;
  /** When the first and the last of them was refused, ISO-8601. */
  readonly oldest: string;
  readonly newest: string;
}

export interface LetterSummary {
  readonly letters: number;
  /** Lines that are no letter. */
  readonly damaged: number;
  /** By table; within one, the most frequent first. */
  readonly groups: readonly LetterGroup[];
}

/** Garbage can make any number of different reasons. */
const GROUPS_MAX = 1000;
const OTHER_REASONS = "other reasons";
const REASON_CHARS = 120;

/** Counts letters by what was wrong with them. */
export async function summarise(folder: string, selection: Selection): Promise<LetterSummary> {
  const groups = new Map<string, { -readonly [K in keyof LetterGroup]: LetterGroup[K] }>();
  let letters = 0;
  let damaged = 0;
  const letterDamaged = (): void => {
    damaged += 1;
  };
  for await (const { table, code, time, ...letter } of selectedLetters(folder, selection, letterDamaged)) {
    letters += 1;
    let reason = generalised(letter.reason);
    if (groups.size >= GROUPS_MAX && !groups.has(keyOf(table, code, reason))) reason = OTHER_REASONS;
    const key = keyOf(table, code, reason);
    const group = groups.get(key);
    if (group === undefined) {
      groups.set(key, { table, code, reason, letters: 1, oldest: time, newest: time });
      continue;
    }
    group.letters += 1;
    if (time < group.oldest) group.oldest = time;
    if (time > group.newest) group.newest = time;
  }
  const sorted = [...groups.values()].sort((a, b) =>
    a.table === b.table ? b.letters - a.letters : a.table < b.table ? -1 : 1,
  );
  return { letters, damaged, groups: sorted };
}

function keyOf(...parts: readonly string[]): string {
  return JSON.stringify(parts);
}

/** What rows refused for one reason have in common: no values, times and numbers, and nothing that ClickHouse adds of its own. */
function generalised(reason: string): string {
  const text = reason
    .replace(/^Code: \d+\. DB::Exception: /, "")
    .replace(/ \([0-9a-f-]{36}\)| Column values: .*$/gs, "")
    .replace(/\b\d{4}-\d\d-\d\dT[\d:.]+Z?/g, "'…'")
    .replace(/'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"/g, "'…'")
    .replace(/\b\d+(?:\.\d+)?\b/g, "N");
  return text.length <= REASON_CHARS ? text : `${text.slice(0, REASON_CHARS)}…`;
}
