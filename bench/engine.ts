import { Engine } from "../src/engine/engine.js";
import { insertTable, measureInserts } from "./engine-inserts.js";
import { measureMemory, memoryTable, mostOverIdle } from "./engine-memory.js";
import { measureReads, readTables } from "./engine-reads.js";
import { TICKS, TicksFolder } from "./engine-ticks.js";
import { judge, median } from "./measure.js";
import { publish, type Table } from "./report.js";

/**
 * The embedded engine as its users meet it: results over HTTP against the engine's own files, inserts beside readers,
 * memory while results are sent, starts. `--check` exits 1 when a required number is missed.
 */

const STARTS = 5;

const NOTE = `Reads: one client, over HTTP on loopback, beside the engine alone writing the same result to a file; both take the same
two cores, the client's share of them included. \`of the file\` is HTTP's speed by that of the file. Inserts: blocks of \`market_data\` one after the
other, beside readers that scan and aggregate 10 M rows without a rest; \`of alone\` compares medians,
\`share\` is what it would be if each reader that runs took as much of the cores as the insert. Memory: resident, peak by the kernel's own
count, each from a fresh start; Parquet has to collect whole row groups before it can send them and is not held to the limit.`;

interface StartFigures {
  readonly afterCloseMs: number[];
  readonly afterKillMs: number[];
}

/** From the start of the engine's process until it answers, over all the rows. */
async function measureStarts({ dataDir }: TicksFolder): Promise<StartFigures> {
  const figures: StartFigures = { afterCloseMs: [], afterKillMs: [] };
  for (let i = 0; i < STARTS; i++) {
    console.error(`start ${i + 1} of ${STARTS}`);
    const begun = performance.now();
    const engine = await Engine.start({ dataDir });
    figures.afterCloseMs.push(performance.now() - begun);
    engine.kill();
    const again = performance.now();
    await engine.restart();
    figures.afterKillMs.push(performance.now() - again);
    await engine.close();
  }
  return figures;
}

function startTable({ afterCloseMs, afterKillMs }: StartFigures): Table {
  const row = (name: string, values: readonly number[]): string[] => [
    name,
    median(values).toFixed(0),
    Math.max(...values).toFixed(0),
  ];
  return {
    title: `Start with ${TICKS.toLocaleString("en-US")} rows`,
    headings: ["start", "median ms", "longest ms"],
    rows: [row("after an orderly end", afterCloseMs), row("after SIGKILL", afterKillMs)],
  };
}

async function main(check: boolean): Promise<boolean> {
  console.error(`making ${TICKS.toLocaleString("en-US")} rows`);
  const ticks = await TicksFolder.create();
  try {
    const starts = await measureStarts(ticks);
    const memory = await measureMemory(ticks);
    const reads = await measureReads(ticks);
    const inserts = await measureInserts(ticks);
    publish({
      name: "engine",
      command: "npm run bench -- engine",
      note: NOTE,
      tables: [...readTables(reads), insertTable(inserts), memoryTable(memory), startTable(starts)],
      figures: { reads, inserts, memory, starts },
    });
    const start = Math.max(median(starts.afterCloseMs), median(starts.afterKillMs));
    const fine = judge([
      {
        what: "memory over idle while a result is sent",
        value: mostOverIdle(memory),
        atMost: 200,
        unit: "MiB",
      },
      { what: "start with 10 M rows", value: start / 1000, atMost: 2, unit: "s" },
    ]);
    return fine || !check;
  } finally {
    ticks.remove();
  }
}

if (!(await main(process.argv.includes("--check")))) process.exitCode = 1;
