import { randomBytes } from "node:crypto";
import { messageOf } from "../base/errors.js";
import type { IngestTarget, IngestWriter } from "../intake/ingest-target.js";
import type { Table } from "../schemas/table.js";
import { DeadLetters } from "../sink/dead-letters.js";
import { Parcels, type Post } from "./parcels.js";
import { type Accept, RowLines } from "./row-lines.js";

export interface RemoteRecorderOptions {
  /** The table that rows go to, as ClickHouse has it. */
  readonly table: Table;
  /** Asks the service. */
  readonly post: Post;
  /** Bytes of the largest body that it takes. */
  readonly maxBody: number;
  readonly accept: Accept;
  /** Name of its recorder, for the dead letters. */
  readonly recorder: string;
  /** Folder of the rows that were refused, which it shares. */
  readonly deadLettersDir: string;
}

/** The recorder of a running service, as files are read into it: their rows are sent in parcels, under their own identity. */
export class RemoteRecorder implements IngestTarget {
  readonly handsOver = true;
  readonly #parcels: Parcels;
  readonly #deadLetters: DeadLetters;
  readonly #writer: IngestWriter;
  #settled: Promise<void> | undefined;

  private constructor(options: RemoteRecorderOptions, deadLetters: DeadLetters, run: bigint) {
    const { table, accept, recorder } = options;
    const parcels = new Parcels({ ...options, table: table.name });
    const lines = new RowLines(table, accept);
    this.#parcels = parcels;
    this.#deadLetters = deadLetters;
    this.#writer = {
      table,
      get full() {
        return parcels.full;
      },
      room: () => parcels.room(),
      offerWhole: (row, origin) => parcels.add(lines.of(row, origin!)),
      rejected: (raw, error, origin) =>
        deadLetters.add({
          ...{ table: table.name, recorder, run: run.toString(), seq: null },
          source: origin?.source ?? null,
          source_seq: origin?.seq.toString() ?? null,
          code: "INPUT_REJECTED",
          reason: messageOf(error),
          body: typeof raw === "string" ? { text: raw } : { raw },
        }),
    };
  }

  static async open(options: RemoteRecorderOptions): Promise<RemoteRecorder> {
    const run = randomBytes(8).readBigUInt64LE();
    // A letter that is damaged is told by the service, and by the commands for dead letters.
    const deadLetters = await DeadLetters.open(options.deadLettersDir, run, () => {});
    return new RemoteRecorder(options, deadLetters, run);
  }

  table(): IngestWriter {
    return this.#writer;
  }

  /** Resolves when the fate is known of all rows that the service has of the table. @throws ColdpathError SERVICE_ABSENT, SERVICE_ANSWER */
  async flush(): Promise<void> {
    await this.#parcels.flush();
  }

  /** The same, once: what it had at first may be of an earlier run over the same files. */
  async replayed(): Promise<void> {
    this.#settled ??= this.#parcels.flush();
    await this.#settled;
  }

  /** Gives up what is under way. */
  async close(): Promise<void> {
    this.#parcels.close();
    await this.#deadLetters.close();
  }
}
