import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { ClickHouse } from "../../src/clickhouse/client.js";
import { type LedgerRow, readLedgers } from "./ledger.js";
import { SOURCE, TABLES, type TableName, VALUES_SQL } from "./rows.js";

/** What the ledgers and plain SQL say against each other; it uses nothing of the recorder. Empty lists: nothing was violated. */
export interface Verdict {
  readonly offered: number;
  readonly acknowledged: number;
  readonly stored: number;
  readonly deadLetters: number;
  /** Acknowledged, and neither stored nor in the dead letters. */
  readonly lost: readonly string[];
  /** Stored more than once, or stored and a dead letter as well. */
  readonly doubled: readonly string[];
  /** Stored, and never offered, or offered and refused. */
  readonly strangers: readonly string[];
  /** Stored with other values than were offered. */
  readonly changed: readonly string[];
  /** Numbers of a run and table that are missing between others. */
  readonly holes: readonly string[];
}

export function violations({ lost, doubled, strangers, changed, holes }: Verdict): number {
  return lost.length + doubled.length + strangers.length + changed.length + holes.length;
}

/**
 * @param ledgers files of the producers
 * @param deadLetters folders of the recorders
 */
export async function judge(
  clickhouse: ClickHouse,
  ledgers: readonly string[],
  deadLetters: readonly string[],
): Promise<Verdict> {
  const rows = readLedgers(ledgers);
  const fates = new Map<number, "stored" | "dead">();
  const lists = {
    lost: [] as string[],
    doubled: [] as string[],
    strangers: [] as string[],
    changed: [] as string[],
  };
  let stored = 0;
  for (const table of TABLES) {
    for (const { number, values, count } of await storedRows(clickhouse, table)) {
      const name = nameOf(table, number);
      const row = rows.get(number);
      stored += count;
      if (count > 1 || fates.has(number)) lists.doubled.push(`${name} × ${count}`);
      fates.set(number, "stored");
      if (row === undefined || row.table !== table || row.fate === "refused") lists.strangers.push(name);
      else if (row.values !== values) lists.changed.push(`${name}: ${row.values} became ${values}`);
    }
  }
  const letters = deadLetters.flatMap(lettersIn);
  for (const { table, number } of letters) {
    if (fates.has(number))
      lists.doubled.push(`${nameOf(table, number)} in the dead letters, and ${fates.get(number)}`);
    fates.set(number, "dead");
  }
  for (const [number, { table, fate }] of rows)
    if (fate === "acknowledged" && !fates.has(number)) lists.lost.push(nameOf(table, number));
  return {
    ...lists,
    offered: rows.size,
    acknowledged: count(rows, "acknowledged"),
    stored,
    deadLetters: letters.length,
    holes: await holes(clickhouse, letters),
  };
}

function count(rows: ReadonlyMap<number, LedgerRow>, fate: LedgerRow["fate"]): number {
  let found = 0;
  for (const row of rows.values()) if (row.fate === fate) found += 1;
  return found;
}

function nameOf(table: string, number: number): string {
  return `${table} ${number}`;
}

async function storedRows(
  clickhouse: ClickHouse,
  table: TableName,
): Promise<{ readonly number: number; readonly values: string; readonly count: number }[]> {
  const text = await clickhouse.text(
    `SELECT source_seq, ${VALUES_SQL[table]}, count() FROM ${table} WHERE source = '${SOURCE}' GROUP BY 1, 2 FORMAT TSV`,
    { timeoutMs: 120_000 },
  );
  return linesOf(text).map(([number, values, count]) => ({
    number: Number(number),
    values: values!,
    count: Number(count),
  }));
}

interface Letter {
  readonly table: string;
  readonly run: string;
  readonly seq: string;
  readonly number: number;
}

/**
 * The rows that ClickHouse refused, as their files say. A last line without its end does not count. A letter may be in a file that was
 * moved aside and once more in the next one of its run: who added it could not tell whether it had come in time.
 */
function lettersIn(folder: string): Letter[] {
  const files = names(folder).filter((name) => name.endsWith(".ndjson"));
  const aside = files.filter((name) => /\.aside\d+\.ndjson$/.test(name));
  const moved = aside.flatMap((name) => lettersOf(join(folder, name)));
  const known = new Set(moved.map(identityOf));
  const others = files
    .filter((name) => !aside.includes(name))
    .flatMap((name) => lettersOf(join(folder, name)));
  return [...moved, ...others.filter((letter) => !known.has(identityOf(letter)))];
}

function identityOf({ table, run, seq }: Letter): string {
  return `${table} ${run} ${seq}`;
}

function lettersOf(file: string): Letter[] {
  return readFileSync(file, "utf8")
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Letter & { source_seq: string; source: string })
    .filter(({ source }) => source === SOURCE)
    .map((letter) => ({ ...letter, number: Number(letter.source_seq) }));
}

function names(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    // Made by a recorder's first start, which may have been killed before.
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

/** Rows of a run and table are numbered without holes: what is missing between two others was lost, whoever knew of it. */
async function holes(clickhouse: ClickHouse, letters: readonly Letter[]): Promise<string[]> {
  const found: string[] = [];
  for (const table of TABLES) {
    const text = await clickhouse.text(
      `SELECT run, min(seq), max(seq), count(), uniqExact(seq) FROM ${table} GROUP BY run FORMAT TSV`,
    );
    for (const [run, min, max, count, unique] of linesOf(text)) {
      const dead = new Set(
        letters.filter((each) => each.table === table && each.run === run).map(({ seq }) => Number(seq)),
      );
      const numbers = [Number(min), Number(max), ...dead];
      const span = Math.max(...numbers) - Math.min(...numbers) + 1;
      if (Number(count) + dead.size !== span || count !== unique || Math.min(...numbers) > 1)
        found.push(
          `${table} of run ${run}: ${count} rows, ${unique} numbers, ${min} to ${max}, ${dead.size} dead`,
        );
    }
  }
  return found;
}

function linesOf(text: string): string[][] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => line.split("\t"));
}
