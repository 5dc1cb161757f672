import { cpSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { PARQUET_GROUP_ROWS } from "../src/engine/executor.js";
import { EngineAlone } from "./alone.js";
import { TICKS, type TicksFolder } from "./engine-ticks.js";
import { readOverHttp } from "./http-read.js";
import { median, quantile } from "./measure.js";
import type { Table } from "./report.js";

const FORMATS = ["Native", "RowBinary", "JSONEachRow", "TSV", "Parquet"];
const ROUNDS = 2;
const SMALL_RESULTS = 500;
const LARGE_RESULTS = 20;
const WARM_UP = 20;

/** One format's figures; seconds of all rows, milliseconds to the first byte. */
interface FormatFigures {
  readonly format: string;
  readonly bytes: number;
  readonly fileSeconds: readonly number[];
  readonly httpSeconds: readonly number[];
  readonly firstMs: readonly number[];
}

export interface ReadFigures {
  readonly formats: readonly FormatFigures[];
  /** A few rows by key: milliseconds to the first byte over HTTP, and of the whole statement in the engine alone. */
  readonly small: { readonly httpMs: readonly number[]; readonly fileMs: readonly number[] };
}

/**
 * All rows and a few rows, over HTTP and as the engine alone writes them to a file, in turn, so that a machine that slows
 * down slows both.
 */
export async function measureReads(ticks: TicksFolder): Promise<ReadFigures> {
  // Two processes cannot share a folder.
  const copy = join(ticks.root, "alone");
  cpSync(join(ticks.dataDir, "db"), copy, { recursive: true });
  const alone = new EngineAlone(copy, join(ticks.dataDir, "config.xml"));
  const file = join(ticks.root, "result");
  const toFile = async (sql: string, format: string): Promise<{ seconds: number; bytes: number }> => {
    const { seconds } = await alone.run([
      `${sql} INTO OUTFILE '${file}' COMPRESSION 'none' FORMAT ${format} SETTINGS output_format_parquet_row_group_size = ${PARQUET_GROUP_ROWS}`,
    ]);
    const bytes = statSync(file).size;
    rmSync(file);
    return { seconds, bytes };
  };
  try {
    return await ticks.with(async (engine) => {
      const formats: FormatFigures[] = [];
      for (const format of FORMATS) {
        console.error(`all rows as ${format}`);
        const all = "SELECT * FROM ticks";
        const [fileSeconds, httpSeconds, firstMs]: [number[], number[], number[]] = [[], [], []];
        let size = 0;
        for (let round = 0; round < ROUNDS; round++) {
          const written = await toFile(all, format);
          fileSeconds.push(written.seconds);
          const read = await readOverHttp(engine, `${all} FORMAT ${format}`);
          httpSeconds.push(read.ms / 1000);
          mustBeNear(format, read.bytes, written.bytes);
          size = read.bytes;
        }
        for (let i = 0; i < LARGE_RESULTS; i++)
          firstMs.push((await readOverHttp(engine, `${all} FORMAT ${format}`, { leaveAfter: 1 })).firstMs);
        formats.push({ format, bytes: size, fileSeconds, httpSeconds, firstMs });
      }
      console.error("a few rows");
      const [httpMs, fileMs]: [number[], number[]] = [[], []];
      for (let i = 0; i < WARM_UP + SMALL_RESULTS; i++) {
        const few = `SELECT * FROM ticks WHERE symbol = 'EURUSD' AND seq = ${6 * i + 3} AND ts < '2024-08-08 13:00:00'`;
        const overHttp = (await readOverHttp(engine, `${few} FORMAT TSV`)).firstMs;
        const written = await toFile(few, "TSV");
        if (i < WARM_UP) continue;
        httpMs.push(overHttp);
        fileMs.push(written.seconds * 1000);
      }
      return { formats, small: { httpMs, fileMs } };
    });
  } finally {
    await alone.close();
    rmSync(copy, { recursive: true });
  }
}

/** The same rows in both; how they fall into blocks may differ. */
function mustBeNear(format: string, bytes: number, expected: number): void {
  if (Math.abs(bytes - expected) > expected / 100)
    throw new Error(`${format}: ${bytes} bytes over HTTP, ${expected} in the file`);
}

export function readTables({ formats, small }: ReadFigures): Table[] {
  return [
    {
      title: `All ${TICKS.toLocaleString("en-US")} rows`,
      headings: [
        "format",
        "MB",
        "HTTP rows/s",
        "HTTP MB/s",
        "file rows/s",
        "of the file",
        "first byte p50 ms",
        "p99 ms",
      ],
      rows: formats.map(({ format, bytes, fileSeconds, httpSeconds, firstMs }) => {
        const [http, file] = [median(httpSeconds), median(fileSeconds)];
        return [
          format,
          whole(bytes / 1e6),
          whole(TICKS / http),
          whole(bytes / 1e6 / http),
          whole(TICKS / file),
          (file / http).toFixed(2),
          ...halfAndMost(firstMs),
        ];
      }),
    },
    {
      title: "A few rows",
      headings: ["a row by its key", "p50 ms", "p99 ms"],
      rows: [
        ["first byte over HTTP", ...halfAndMost(small.httpMs)],
        ["the engine alone to a file", ...halfAndMost(small.fileMs)],
        ["ratio", ...ratioOf(small.httpMs, small.fileMs)],
      ],
    },
  ];
}

function whole(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}

function halfAndMost(values: readonly number[]): string[] {
  return [quantile(values, 0.5).toFixed(1), quantile(values, 0.99).toFixed(1)];
}

function ratioOf(a: readonly number[], b: readonly number[]): string[] {
  return [0.5, 0.99].map((part) => (quantile(a, part) / quantile(b, part)).toFixed(2));
}
