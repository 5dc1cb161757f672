import type { HistogramSnapshot } from "../base/histogram.js";
import type { RecorderStats } from "../recorder.js";

/** What the process itself knows, whatever becomes of the pipeline. */
export interface OutsideSource {
  /** Of coldpath. */
  readonly version: string;
  /** Whether the pipeline answers. */
  readonly isUp: boolean;
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
  /** Letters on disk, by table, and whether their folder could be read just now. */
  readonly deadLetters: { readonly rows: Readonly<Record<string, number>>; readonly isReadable: boolean };
  /** Of a service that writes rows and reads them back. */
  readonly heartbeat?: { readonly visible: HistogramSnapshot; readonly waitingSeconds: number } | undefined;
  /** By thread. */
  readonly restarts: Readonly<Record<string, number>>;
}

/** All that one scrape reads, taken at one moment. */
export interface MetricsSource extends OutsideSource {
  readonly stats: RecorderStats;
}
