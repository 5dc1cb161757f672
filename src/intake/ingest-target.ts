import type { Recorder, TableWriter } from "../recorder.js";

/** Takes rows of files into one table. */
export type IngestWriter = Pick<TableWriter, "table" | "full" | "room" | "offerWhole" | "rejected">;

/** What files are read into: a recorder of this process, or the service that runs. */
export interface IngestTarget extends Pick<Recorder, "flush" | "replayed"> {
  table(name: string): IngestWriter;
  /** Whether a ticket's `stored` says only that somebody else has the row: then ClickHouse is asked how many it holds. Default false. */
  readonly handsOver?: boolean;
}
