import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { TestContext } from "node:test";
import type { ClickHouse } from "../../src/clickhouse/client.js";
import { type IngestOptions, type IngestReport, ingestFiles } from "../../src/intake/ingest.js";
import { Recorder, type RecorderOptions, type TableOptions } from "../../src/recorder.js";
import type { EngineContext } from "../support/engine.js";
import { temporaryFolder } from "../support/folder.js";
import { startMigratedEngine } from "../support/migrated.js";

/** An engine with all tables, for the tests of one file. */
export async function startTables(t: EngineContext): Promise<ClickHouse> {
  return (await startMigratedEngine(t)).clickhouse;
}

const TABLE_OPTIONS: TableOptions = {
  class: "best_effort",
  flush: { rows: 50_000, bytes: 8 << 20, age: 50 },
  queue: { rows: 200_000 },
};

const TABLES = ["market_data", "orders"];

export function recorderOptions(
  clickhouse: ClickHouse,
  deadLettersDir: string,
  table: TableOptions = TABLE_OPTIONS,
  tables: readonly string[] = TABLES,
): RecorderOptions {
  return {
    recorder: "test",
    env: "test",
    clickhouse,
    compression: "none",
    tables: Object.fromEntries(tables.map((name) => [name, table])),
    memory: { max: 64 << 20 },
    accept: { past: 100 * 365 * 86_400_000, future: 86_400_000 },
    deadLettersDir,
  };
}

/** A folder for a test's files, and a recorder whose dead letters are in it. */
export interface Place {
  readonly folder: string;
  readonly clickhouse: ClickHouse;
  readonly recorder: Recorder;
  /** Writes a file and gives its path. */
  write(name: string, content: string | Buffer): Promise<string>;
  ingest(options: Pick<IngestOptions, "table" | "files"> & Partial<IngestOptions>): Promise<IngestReport>;
  /** The dead letters so far. */
  deadLetters(): Promise<DeadLetter[]>;
}

interface DeadLetter {
  readonly id: string;
  readonly source: string;
  readonly source_seq: string;
  readonly reason: string;
  readonly bytes: string;
}

export async function openPlace(
  t: TestContext,
  clickhouse: ClickHouse,
  table: TableOptions = TABLE_OPTIONS,
  tables: readonly string[] = TABLES,
): Promise<Place> {
  const folder = await temporaryFolder(t);
  const deadLettersDir = join(folder, "dead-letters");
  const recorder = await Recorder.open(recorderOptions(clickhouse, deadLettersDir, table, tables));
  t.after(async () => {
    await recorder.close({ deadlineMs: 5000 });
  });
  return {
    folder,
    clickhouse,
    recorder,
    write: async (name, content) => {
      const path = join(folder, name);
      await writeFile(path, content);
      return path;
    },
    ingest: (options) => ingestFiles({ recorder, clickhouse, ...options }),
    deadLetters: async () => {
      const names = await readdir(deadLettersDir).catch(() => []);
      const texts = await Promise.all(
        names
          .filter((name) => name.endsWith(".ndjson"))
          .map((name) => readFile(join(deadLettersDir, name), "utf8")),
      );
      return texts
        .flatMap((text) => text.trimEnd().split("\n"))
        .map((line) => JSON.parse(line) as DeadLetter);
    },
  };
}
