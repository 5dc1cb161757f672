import { hostname } from "node:os";
import { messageOf } from "../base/errors.js";
import { isAlive } from "../base/process.js";
import { MINUTE_MS } from "../base/units.js";
import type { Identity } from "../buffer/stamp.js";
import type { ClickHouse } from "../clickhouse/client.js";
import { UnreachableError } from "../clickhouse/error.js";
import type { Report } from "./events.js";
import { parameterText } from "./partition-condition.js";
import { logSource } from "./registration.js";

export interface ClashWatchOptions {
  readonly clickhouse: ClickHouse;
  readonly identity: Identity;
  /** The id of the log, if there is one: a copy of it has the same. */
  readonly log: bigint | undefined;
  readonly report: Report;
}

interface Start {
  readonly recorder: string;
  readonly source: string;
  readonly run: string;
  readonly host: string;
  readonly pid: number;
  readonly started: string;
}

/** Starts that are looked at: a recorder that is started again and again leaves many. */
const STARTS_MAX = 100;

/**
 * Notices another recorder of the same name, or with a copy of our log, that runs at the same time. Neither can harm what the other takes,
 * as each has a run of its own, but who reads it takes two sources for one; and rows that a log and its copy hold unsent, both bring.
 */
export class ClashWatch {
  readonly #options: ClashWatchOptions;
  readonly #timer: NodeJS.Timeout;
  readonly #closed = new AbortController();
  readonly #told = new Set<string>();

  private constructor(options: ClashWatchOptions) {
    this.#options = options;
    this.#timer = setInterval(() => void this.look(), MINUTE_MS).unref();
  }

  /**
   * Looks for the first time, and then about once a minute.
   * @throws ClickHouseError
   */
  static async start(options: ClashWatchOptions): Promise<ClashWatch> {
    const watch = new ClashWatch(options);
    try {
      watch.#tell(await watch.#read());
    } catch (error) {
      if (error instanceof UnreachableError) watch.#unknown(error);
      else {
        watch.close();
        throw error;
      }
    }
    return watch;
  }

  /** Looks now; a question without an answer is told, and asked again next time. */
  async look(): Promise<void> {
    try {
      this.#tell(await this.#read());
    } catch (error) {
      if (!this.#closed.signal.aborted) this.#unknown(error);
    }
  }

  #unknown(error: unknown): void {
    this.#options.report({ kind: "clash_unknown", message: messageOf(error) });
  }

  close(): void {
    clearInterval(this.#timer);
    this.#closed.abort();
  }

  #tell(starts: readonly Start[]): void {
    const { log, report } = this.#options;
    for (const start of starts) {
      if (this.#told.has(start.run) || !isBeside(start)) continue;
      this.#told.add(start.run);
      const { source, ...who } = start;
      report({ kind: "recorder_clash", ...who, hasCopy: log !== undefined && source === logSource(log) });
    }
  }

  /** Starts under our name or with our log after ours, by ClickHouse's clock: whoever began first tells. */
  async #read(): Promise<Start[]> {
    const { clickhouse, identity, log } = this.#options;
    return await clickhouse.rows<Start>(
      `SELECT recorder, source, run, host, pid, started FROM recorder_runs
       WHERE (recorder = {recorder:String} OR source != '' AND source = {log:String})
         AND ts_ingest > (SELECT max(ts_ingest) FROM recorder_runs WHERE run = {run:UInt64})
       ORDER BY ts_ingest DESC LIMIT ${STARTS_MAX}`,
      {
        params: { run: identity.run, recorder: parameterText(identity.recorder), log: logSource(log) },
        signal: this.#closed.signal,
      },
    );
  }
}

/**
 * Whether that start, which began after us, runs beside us: on this host its process is alive; of another host nobody knows. A pipeline
 * thread that was started again is a start of this very process.
 */
function isBeside({ host, pid }: Start): boolean {
  return host !== hostname() || (pid !== process.pid && isAlive(pid));
}
