import { readFileSync, writeFileSync } from "node:fs";
import { MIB } from "../src/base/units.js";
import type { Engine } from "../src/engine/engine.js";
import type { TicksFolder } from "./engine-ticks.js";
import { type ReadOptions, readOverHttp } from "./http-read.js";
import type { Table } from "./report.js";

const GB = 1_000_000_000;
/** All rows twice: a gigabyte as Native. */
const MANY_ROWS = "SELECT * FROM (SELECT * FROM ticks UNION ALL SELECT * FROM ticks)";

interface Client {
  readonly name: string;
  readonly sql: string;
  readonly options: ReadOptions;
}

const CLIENTS: readonly Client[] = [
  { name: "Native, as fast as it comes", sql: `${MANY_ROWS} FORMAT Native`, options: {} },
  { name: "JSONEachRow, as fast as it comes", sql: "SELECT * FROM ticks FORMAT JSONEachRow", options: {} },
  {
    name: "Native, slow: 100 ms of rest after each 10 MB",
    sql: `${MANY_ROWS} FORMAT Native`,
    options: { pause: { everyBytes: GB / 100, ms: 100 } },
  },
  {
    name: "Native, leaves after 250 MB",
    sql: `${MANY_ROWS} FORMAT Native`,
    options: { leaveAfter: GB / 4 },
  },
  { name: "Parquet, as fast as it comes", sql: "SELECT * FROM ticks FORMAT Parquet", options: {} },
];

export interface MemoryFigures {
  readonly client: string;
  readonly bytes: number;
  /** Resident memory of the engine's process, which serves HTTP too. */
  readonly idleBytes: number;
  readonly peakBytes: number;
}

/** The peak of the engine's process over one result, each from a fresh start. */
export async function measureMemory(ticks: TicksFolder): Promise<MemoryFigures[]> {
  const figures: MemoryFigures[] = [];
  for (const { name, sql, options } of CLIENTS) {
    console.error(`memory: ${name}`);
    await ticks.with(async (engine) => {
      const idleBytes = memoryOf(engine, "VmRSS");
      forgetPeak(engine);
      const { bytes } = await readOverHttp(engine, sql, options);
      figures.push({ client: name, bytes, idleBytes, peakBytes: memoryOf(engine, "VmHWM") });
    });
  }
  return figures;
}

function memoryOf(engine: Engine, field: "VmRSS" | "VmHWM"): number {
  const status = readFileSync(`/proc/${engine.pid}/status`, "utf8");
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(status)![1]) * 1024;
}

/** Makes VmHWM start again from VmRSS; see proc(5), clear_refs. */
function forgetPeak(engine: Engine): void {
  writeFileSync(`/proc/${engine.pid}/clear_refs`, "5");
}

/** Of results of a gigabyte in the formats that need not be complete before they are sent. */
export function mostOverIdle(figures: readonly MemoryFigures[]): number {
  const streamed = figures.filter(({ client }) => !client.startsWith("Parquet"));
  return Math.max(...streamed.map(({ idleBytes, peakBytes }) => peakBytes - idleBytes)) / MIB;
}

export function memoryTable(figures: readonly MemoryFigures[]): Table {
  return {
    title: "Memory of the engine's process while it sends a result",
    headings: ["client", "MB sent", "idle MiB", "peak MiB", "over idle MiB"],
    rows: figures.map(({ client, bytes, idleBytes, peakBytes }) => [
      client,
      String(Math.round(bytes / 1e6)),
      ...[idleBytes, peakBytes, peakBytes - idleBytes].map((each) => String(Math.round(each / MIB))),
    ]),
  };
}
