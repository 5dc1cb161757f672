import { type Command, Option } from "commander";
import { tableText } from "../../base/table-text.js";
import { MINUTE_MS, SECOND_MS } from "../../base/units.js";
import type { Config } from "../../config/schema.js";
import { type FileReport, type IngestReport, ingestFiles } from "../../intake/ingest.js";
import type { IngestProgress } from "../../intake/progress.js";
import { RemoteRecorder } from "../../remote/remote-recorder.js";
import { readTable } from "../../schemas/introspect.js";
import { deadLettersFolder, type OpenedClickHouse, openClickHouse } from "../../service/open.js";
import { openRecorder } from "../../service/open-recorder.js";
import { Context, interruption } from "../context.js";
import { withExamples } from "../examples.js";
import { storeLeftovers } from "../ingest/leftovers.js";
import { type ServiceForRows, serviceForRows } from "../ingest/service-for-rows.js";
import { ProgressLine } from "../progress-line.js";

interface Options {
  readonly table: string;
  readonly format?: "csv" | "ndjson";
  readonly map?: string;
  readonly source?: string;
  readonly allowRejects?: boolean;
}

const CLOSE_DEADLINE_MS: number = MINUTE_MS;
/** By then an interrupted ingest has waited for its rows already. */
const INTERRUPTED_CLOSE_DEADLINE_MS: number = 5 * SECOND_MS;

export function registerIngest(program: Command): void {
  const ingest = program
    .command("ingest")
    .argument("<files...>", "CSV or NDJSON files, plain or .gz; - is standard input")
    .requiredOption("-t, --table <name>", "table that the rows go to")
    .addOption(
      new Option("--format <name>", "format of the files (default: told by their names)").choices([
        "csv",
        "ndjson",
      ]),
    )
    .option("--map <file>", "mapping file for foreign columns, times and zones")
    .option("--source <name>", "identity of the rows (with the line) in place of the file's own")
    .option("--allow-rejects", "exit 0 although some rows were refused")
    .description(
      "record files through the whole pipeline, that of the running service if there is one; a second run stores nothing twice",
    )
    .action(async (files: string[], options: Options, command: Command) => {
      const context = new Context(command);
      const loaded = context.load();
      const { config } = loaded;
      const signal = interruption();
      const service = await serviceForRows(loaded, options.table);
      const opened = await openClickHouse(config);
      const line = new ProgressLine(context);
      try {
        if (service === undefined) await storeLeftovers(config, opened, options.table, { context, signal });
        else context.note(`recorded by the service at ${service.url}`);
        const recorder = await (service === undefined
          ? // The files are the log.
            openRecorder(config, opened, undefined, { withLog: false })
          : openRemote(service, config, opened, options.table));
        const report = await ingestFiles({
          recorder,
          clickhouse: opened.clickhouse,
          table: options.table,
          files,
          format: options.format,
          mapping: options.map,
          sourceName: options.source,
          maxLineBytes: config.intake.max_line,
          signal,
          onProgress: (progress) => line.show(progressText(progress)),
        }).finally(() =>
          recorder.close({
            deadlineMs: signal.aborted ? INTERRUPTED_CLOSE_DEADLINE_MS : CLOSE_DEADLINE_MS,
          }),
        );
        line.end();
        context.result(summary(report), { service: service?.url ?? null, ...report });
        if (!isFine(report, options.allowRejects === true)) process.exitCode = 1;
      } finally {
        line.end();
        await opened.close();
      }
    });
  withExamples(ingest, [
    ["coldpath ingest orders.ndjson --table orders", "a file of orders; again it stores nothing twice"],
    [
      "coldpath ingest quotes-*.csv.gz --table market_data --map examples/fx-l1/mapping.yaml",
      "files of another make, columns and times mapped",
    ],
    [
      "coldpath ingest - --table orders --format ndjson --source feed-1",
      "standard input, whose rows are known by this name and their line",
    ],
  ]);
}

async function openRemote(
  service: ServiceForRows,
  config: Config,
  { clickhouse }: OpenedClickHouse,
  table: string,
): Promise<RemoteRecorder> {
  const deadLettersDir = deadLettersFolder(config);
  return await RemoteRecorder.open({ ...service, table: await readTable(clickhouse, table), deadLettersDir });
}

function isFine(report: IngestReport, allowRejects: boolean): boolean {
  if (report.interrupted || report.lost > 0 || report.files.some(({ error }) => error !== undefined))
    return false;
  return allowRejects || report.rejected === 0;
}

function progressText(progress: IngestProgress): string {
  const { file, bytes, totalBytes, rows, rowsPerSecond, etaSeconds } = progress;
  const share = totalBytes === undefined ? "" : ` ${Math.floor((100 * bytes) / Math.max(1, totalBytes))} %`;
  const eta = etaSeconds === undefined ? "" : `, ${Math.ceil(etaSeconds)} s left`;
  return `${file}:${share} ${count(rows)} rows, ${count(rowsPerSecond)} rows/s${eta}`;
}

function summary(report: IngestReport): string {
  const headings = ["file", "rows", "stored", "already stored", "rejected", "rows/s"];
  const rows = report.files.map((file) => [
    file.file,
    count(file.rows),
    count(file.stored),
    count(file.alreadyStored),
    count(file.rejected),
    count(Math.round(file.rows / Math.max(file.seconds, 0.001))),
  ]);
  const lines = [tableText(headings, rows), ...report.files.flatMap(remarks)];
  const seconds = report.seconds.toFixed(1);
  lines.push(
    `${count(report.stored)} rows stored in ${report.table} in ${seconds} s, ${count(report.rowsPerSecond)} rows/s`,
  );
  const read = report.lost > 0 ? "not all that was read is known to be stored" : "what was read is stored";
  if (report.interrupted) lines.push(`interrupted: ${read}; run it again to store the rest`);
  return lines.join("\n");
}

/** What a person should know of a file beyond its numbers. */
function remarks(file: FileReport): string[] {
  const { error, notes, reasons, rejections } = file;
  const shown = rejections.map(({ line, message }) => `${file.file}:${line}: ${message}`);
  const counted = Object.entries(reasons).map(
    ([reason, rows]) => `${file.file}: ${count(rows)} rejected: ${reason}`,
  );
  return [
    ...(error === undefined ? [] : [named(file.file, error.message)]),
    ...notes.map((note) => `${file.file}: ${note}`),
    ...shown,
    ...(file.rejected > rejections.length ? counted : []),
  ];
}

/** Most errors of a file begin with its name already. */
function named(file: string, message: string): string {
  return message.startsWith(`${file}:`) ? message : `${file}: ${message}`;
}

function count(value: number): string {
  return value.toLocaleString("en-US");
}
