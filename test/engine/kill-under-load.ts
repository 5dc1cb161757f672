import { setTimeout as delay } from "node:timers/promises";
import type { ClickHouse } from "../../src/clickhouse/client.js";
import type { Engine } from "../../src/engine/engine.js";
import { ask, type TestEngine } from "../support/engine.js";
import type { Random } from "../support/random.js";

/** An INSERT that was sent: one set of rows under a number that no other one has. */
type InsertId = number;

/** Rows of each INSERT. */
const ROWS = 50;

export interface Load {
  /** INSERTs that were answered with success. */
  readonly acknowledged: readonly InsertId[];
  /** Milliseconds from the death of each engine to the next one's readiness. */
  readonly startMs: readonly number[];
  /** INSERTs whose answer a kill took away. */
  readonly cut: number;
}

/**
 * Writers insert without a pause while the engine's process is killed by SIGKILL again and again, each time a random
 * number of acknowledgements after its start.
 */
export async function killUnderLoad(
  { engine, clickhouse }: TestEngine,
  options: { readonly kills: number; readonly writers: number; readonly random: Random },
): Promise<Load> {
  await clickhouse.command(
    "CREATE TABLE loaded (id UInt64, row UInt32) ENGINE = MergeTree ORDER BY (id, row)",
  );
  const acknowledged: InsertId[] = [];
  const startMs: number[] = [];
  let cut = 0;
  let next = 0;
  let isOver = false;
  const write = async (): Promise<void> => {
    while (!isOver) {
      const id = next++;
      const outcome = await insert(engine, id);
      if (outcome === "acknowledged") acknowledged.push(id);
      if (outcome === "cut") cut += 1;
      // While the engine is away every attempt fails at once.
      await delay(1);
    }
  };
  const writers = Array.from({ length: options.writers }, write);
  try {
    for (let kill = 0; kill < options.kills; kill++) {
      const enough = acknowledged.length + 1 + options.random.below(20);
      while (acknowledged.length < enough) await delay(1);
      const since = performance.now();
      await engine.restart();
      startMs.push(performance.now() - since);
    }
  } finally {
    isOver = true;
    await Promise.all(writers);
  }
  return { acknowledged, startMs, cut };
}

/** An INSERT is sent once, whatever becomes of it. */
async function insert(engine: Engine, id: InsertId): Promise<"acknowledged" | "cut" | "not sent"> {
  const rows = Array.from({ length: ROWS }, (_, row) => `${id}\t${row}\n`).join("");
  try {
    const answer = await ask(engine, { search: { query: "INSERT INTO loaded FORMAT TSV" }, body: rows });
    return answer.status === 200 ? "acknowledged" : "cut";
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ECONNREFUSED" ? "not sent" : "cut";
  }
}

/** What the table, counted by SQL, does not have whole: acknowledged INSERTs that miss rows, and any that is there in part. */
export async function missing(
  clickhouse: ClickHouse,
  acknowledged: readonly InsertId[],
): Promise<{ readonly lost: readonly InsertId[]; readonly torn: readonly InsertId[] }> {
  const text = await clickhouse.text("SELECT id, count(), uniqExact(row) FROM loaded GROUP BY id");
  const lines = text.split("\n").filter((line) => line !== "");
  const found = new Map(
    lines.map((line) => line.split("\t").map(Number)).map(([id, ...counts]) => [id!, counts]),
  );
  const isWhole = (counts: readonly number[] | undefined): boolean =>
    counts?.every((count) => count === ROWS) ?? false;
  return {
    lost: acknowledged.filter((id) => !isWhole(found.get(id))),
    torn: [...found].filter(([, counts]) => !isWhole(counts)).map(([id]) => id),
  };
}
