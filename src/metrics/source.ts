import type { RecorderStats } from "../recorder.js";

/** All that one scrape reads, taken at one moment. */
export interface MetricsSource {
  readonly stats: RecorderStats;
  /** Of coldpath. */
  readonly version: string;
  /** Rings of a recorder in the trading process, with the share of their cells that is taken; a service has none. */
  readonly rings: readonly { readonly producer: string; readonly usage: number }[];
  /** Rows recorded into these rings, by table and outcome. */
  readonly ringRows: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** How often each kind of event was told. */
  readonly events: ReadonlyMap<string, number>;
  readonly incidents: readonly {
    readonly table: string;
    readonly incident: string;
    readonly count: number;
  }[];
  /** Letters on disk, by table. */
  readonly deadLetters: Readonly<Record<string, number>>;
  /** By thread. */
  readonly restarts: Readonly<Record<string, number>>;
}
