import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { ClickHouse } from "../src/clickhouse/client.js";
import { Engine } from "../src/engine/engine.js";
import { migrate } from "../src/schemas/migrate.js";
import { BASE_CODEC, FAMILIES, WHOLE_SCHEMAS } from "./codecs-candidates.js";
import { loadDataSets, recordedData } from "./codecs-data.js";
import { engineColumns, type Trial, tryFamily } from "./codecs-trial.js";
import { better, type Candidate, candidatesOf } from "./codecs-verdict.js";
import { tryWhole, type WholeTrial } from "./codecs-whole.js";
import { publish, tableText } from "./report.js";

/**
 * What each codec makes of recorded ticks, in the order in which our tables keep them. Options: `--data DIR` with the
 * recorded files, `--check` to exit 1 when the schema's codecs are not the ones that the figures speak for.
 */

const NOTE = `Compressed bytes by row after the last merge, in the tables' own order. \`fx\`, \`quotes\`, \`trades\`, \`book\` (ten levels a side)
and \`orders\` are recorded files as \`coldpath ingest\` takes them; \`live\` is quotes, trades and book together as one recorder
would have heard them. \`ts_ingest\` is not recorded but worked out from batches of 50,000 rows, \`live\` of 250 ms. Insert and
read: time relative to \`ZSTD(1)\` on the same columns over all sets, each the fastest of three rounds. Gorilla needs
\`allow_suspicious_codecs\` on what is not a float. \`chosen\` is what the schema has; see the decision in
[internals/decisions](../internals/decisions/0001-codecs.md).`;
const SETS = ["fx", "quotes", "trades", "book", "live", "orders"];

interface Figures {
  readonly rows: Readonly<Record<string, number>>;
  readonly whole: readonly WholeTrial[];
  readonly trials: readonly Trial[];
}

async function measureAll(folder: string | undefined): Promise<Figures> {
  const dataDir = mkdtempSync(join(tmpdir(), "coldpath-bench-"));
  const engine = await Engine.start({ dataDir });
  const { url, user, password } = engine;
  const clickhouse = new ClickHouse({ url, user, password, database: "coldpath" });
  try {
    await migrate(clickhouse);
    const sets = await loadDataSets(clickhouse, folder);
    const columns = {
      market_data: await engineColumns(clickhouse, "market_data"),
      orders: await engineColumns(clickhouse, "orders"),
    };
    mustCover(columns.market_data.map(({ name }) => name));
    const whole: WholeTrial[] = [];
    for (const set of sets.filter(({ table }) => table === "market_data")) {
      console.error(`market_data of ${set.title}`);
      whole.push(...(await tryWhole(clickhouse, set, WHOLE_SCHEMAS, columns.market_data)));
    }
    const trials: Trial[] = [];
    for (const family of FAMILIES) {
      console.error(family.name);
      for (const set of sets.filter(({ title }) => family.sets.includes(title)))
        trials.push(...(await tryFamily(clickhouse, set, family, columns[family.table])));
    }
    return { rows: Object.fromEntries(sets.map(({ title, rows }) => [title, rows])), whole, trials };
  } finally {
    await clickhouse.close();
    await engine.close();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

/** A column that a migration adds is tried too, or this fails. */
function mustCover(columns: readonly string[]): void {
  const found = FAMILIES.filter(({ table }) => table === "market_data").flatMap((family) => family.columns);
  if (found.toSorted().join() !== columns.toSorted().join())
    throw new Error(`the families hold ${found.join(", ")}; market_data has ${columns.join(", ")}`);
}

function wholeRows(whole: readonly WholeTrial[]): string[][] {
  return WHOLE_SCHEMAS.map(({ name }) => {
    const own = whole.filter(({ schema }) => schema === name);
    const ratio = (value: (trial: WholeTrial) => number): string => {
      const total = (schema: string): number =>
        whole.filter((trial) => trial.schema === schema).reduce((sum, trial) => sum + value(trial), 0);
      return (total(name) / total(`${BASE_CODEC} everywhere`)).toFixed(2);
    };
    const bytes = Object.fromEntries(own.map((trial) => [trial.set, trial.bytes]));
    return [
      `whole row: ${name}`,
      "",
      ...bytesCells(bytes),
      ratio(({ insertMs }) => insertMs),
      ratio(({ readMs }) => readMs),
    ];
  });
}

function candidateRow({ family, codec, isCommitted, bytesBySet, insert, read }: Candidate): string[] {
  return [
    `${family}: ${codec}`,
    isCommitted ? "chosen" : "",
    ...bytesCells(bytesBySet),
    insert.toFixed(2),
    read.toFixed(2),
  ];
}

function bytesCells(bytes: Readonly<Record<string, number>>): string[] {
  return SETS.map((set) => bytes[set]?.toFixed(3) ?? "");
}

function judge(families: readonly (readonly Candidate[])[]): boolean {
  let fine = true;
  for (const candidates of families) {
    const { family, codec, bytes } = candidates.find(({ isCommitted }) => isCommitted)!;
    const instead = better(candidates);
    const verdict = instead === undefined ? "" : `, but ${instead.codec} takes ${instead.bytes.toFixed(3)}`;
    console.log(
      `${instead === undefined ? "ok    " : "MISSED"}  ${family}: ${codec} takes ${bytes.toFixed(3)}${verdict}`,
    );
    fine &&= instead === undefined;
  }
  return fine;
}

const options = { data: { type: "string", default: "../shared/data" }, check: { type: "boolean" } } as const;
const { values } = parseArgs({ options });
const folder = recordedData(values.data);
if (folder === undefined) {
  console.log(
    `No recorded ticks in ${values.data}. Rows are made up: the figures are not those of real ticks, and nothing is judged or written.`,
  );
}
const figures = await measureAll(folder);
const families = FAMILIES.map(({ name }) =>
  candidatesOf(figures.trials.filter((trial) => trial.family === name)),
);
const headings = ["bytes by row", "", ...SETS, "insert ×", "read ×"];
const rows = [...wholeRows(figures.whole), ...families.flat().map(candidateRow)];
if (folder === undefined) {
  console.log(tableText(headings, rows));
} else {
  publish({
    name: "codecs",
    command: "npm run bench -- codecs",
    note: NOTE,
    tables: [{ headings, rows }],
    figures,
  });
  if (!judge(families) && values.check) process.exitCode = 1;
}
