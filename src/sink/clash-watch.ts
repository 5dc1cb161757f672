import { hostname } from "node:os";
import { messageOf } from "../base/errors.js";
import { isAlive } from "../base/process.js";
import { MINUTE_MS } from "../base/units.js";
import type { Identity } from "../buffer/stamp.js";
import type { ClickHouse } from "../clickhouse/client.js";
import type { Report } from "./events.js";
import { parameterText } from "./partition-condition.js";

export interface ClashWatchOptions {
  readonly clickhouse: ClickHouse;
  readonly identity: Identity;
  readonly report: Report;
}

interface Start {
  readonly run: string;
  readonly host: string;
  readonly pid: number;
  readonly started: string;
}

/** Starts that are looked at: a recorder that is started again and again leaves many. */
const STARTS_MAX = 100;

/**
 * Notices another recorder of the same name that runs at the same time. Neither can harm the other's rows, as each has a run of its own,
 * but who reads them takes two sources for one.
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
   * @throws ClickHouseError, UnreachableError
   */
  static async start(options: ClashWatchOptions): Promise<ClashWatch> {
    const watch = new ClashWatch(options);
    try {
      watch.#tell(await watch.#read());
    } catch (error) {
      watch.close();
      throw error;
    }
    return watch;
  }

  /** Looks now; a question without an answer is told, and asked again next time. */
  async look(): Promise<void> {
    try {
      this.#tell(await this.#read());
    } catch (error) {
      if (this.#closed.signal.aborted) return;
      this.#options.report({ kind: "clash_unknown", message: messageOf(error) });
    }
  }

  close(): void {
    clearInterval(this.#timer);
    this.#closed.abort();
  }

  #tell(starts: readonly Start[]): void {
    const { identity, report } = this.#options;
    for (const start of starts) {
      if (this.#told.has(start.run) || !isBeside(start)) continue;
      this.#told.add(start.run);
      report({ kind: "recorder_clash", recorder: identity.recorder, ...start });
    }
  }

  /** Starts under our name after ours, by ClickHouse's clock: whoever began first tells. */
  async #read(): Promise<Start[]> {
    const { clickhouse, identity } = this.#options;
    return await clickhouse.rows<Start>(
      `SELECT run, host, pid, started FROM recorder_runs
       WHERE recorder = {recorder:String}
         AND ts_ingest > (SELECT max(ts_ingest) FROM recorder_runs WHERE run = {run:UInt64})
       ORDER BY ts_ingest DESC LIMIT ${STARTS_MAX}`,
      {
        params: { run: identity.run, recorder: parameterText(identity.recorder) },
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
