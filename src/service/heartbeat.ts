import { type Clock, sleep } from "../base/clock.js";
import { Histogram, type HistogramSnapshot } from "../base/histogram.js";
import { SECOND_MS } from "../base/units.js";
import type { ClickHouse } from "../clickhouse/client.js";
import type { Recorder } from "../recorder.js";

export interface HeartbeatOptions {
  readonly recorder: Pick<Recorder, "table" | "run">;
  /** Whoever reads; the beat is seen as he sees it. */
  readonly clickhouse: Pick<ClickHouse, "rows">;
  readonly clock: Clock;
  /** Milliseconds from one beat to the next. */
  readonly everyMs: number;
}

/** What a scrape reads of it. */
export interface HeartbeatStats {
  /** Seconds from taking a beat until a SELECT found it. */
  readonly visible: HistogramSnapshot;
  /** Seconds since the beat was taken that no SELECT has found yet; 0 if there is none. */
  readonly waitingSeconds: number;
}

/** Between two looks for one beat. */
const LOOK_MS = 50;
/** The same once it is late. */
const LATE_LOOK_MS: number = SECOND_MS;
const LATE_MS: number = 5 * SECOND_MS;
const BOUNDS: readonly number[] = [
  0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 3, 5, 10, 30, 60, 300, 1800, 7200,
];

/**
 * Writes a row of `system_events` now and then and reads it back: freshness as a reader has it, measured past everything that the recorder
 * believes of itself. A beat that is not found is looked for until it is, and no other is written meanwhile.
 */
export class Heartbeat {
  readonly #options: HeartbeatOptions;
  readonly #visible = new Histogram(BOUNDS);
  readonly #closed = new AbortController();
  readonly #beating: Promise<void>;
  /** Monotonic milliseconds. */
  #waitingSince: number | undefined;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
    this.#beating = this.#beat();
  }

  get stats(): HeartbeatStats {
    const { clock } = this.#options;
    const waitingSeconds =
      this.#waitingSince === undefined ? 0 : (clock.monotonic() - this.#waitingSince) / SECOND_MS;
    return { visible: this.#visible.snapshot(), waitingSeconds };
  }

  async close(): Promise<void> {
    this.#closed.abort();
    await this.#beating;
  }

  async #beat(): Promise<void> {
    const { clock, everyMs } = this.#options;
    const { signal } = this.#closed;
    for (let beat = 1; !signal.aborted; beat += 1) {
      const begun = clock.monotonic();
      this.#waitingSince = begun;
      if (this.#write(beat)) await this.#find(beat, begun);
      this.#waitingSince = undefined;
      await this.#pause(everyMs - (clock.monotonic() - begun));
    }
  }

  /** Whether it was taken: a table at its limit is told by others. */
  #write(beat: number): boolean {
    const { recorder, clock } = this.#options;
    const row = {
      ts: new Date(clock.wall()),
      kind: "heartbeat",
      severity: "info",
      component: "recorder",
      message: `beat ${beat}`,
      attributes: { beat: String(beat) },
    };
    return recorder.table("system_events").offerWhole(row) !== undefined;
  }

  async #find(beat: number, begun: number): Promise<void> {
    const { clickhouse, recorder, clock } = this.#options;
    const { signal } = this.#closed;
    const params = { run: recorder.run.toString(), beat: String(beat) };
    const sql =
      "SELECT 1 FROM system_events WHERE kind = 'heartbeat' AND run = {run:UInt64} AND attributes['beat'] = {beat:String} AND ts > now() - INTERVAL 1 DAY LIMIT 1";
    while (!signal.aborted) {
      // A ClickHouse that does not answer shows nothing either.
      const found = await clickhouse.rows(sql, { params, signal }).catch(() => []);
      const waited = clock.monotonic() - begun;
      if (found.length > 0) {
        this.#visible.observe(waited / SECOND_MS);
        return;
      }
      await this.#pause(waited < LATE_MS ? LOOK_MS : LATE_LOOK_MS);
    }
  }

  /** Ends early when it is closed. */
  async #pause(ms: number): Promise<void> {
    await sleep(this.#options.clock, Math.max(0, ms), this.#closed.signal).catch(() => {});
  }
}
