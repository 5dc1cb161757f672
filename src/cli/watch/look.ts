import type { StatusReport } from "../../admin/status-report.js";
import type { RecentEvent } from "../../live/recent-events.js";
import { LogGrowth } from "../../wal/log-growth.js";

/** What the view shows of an event. */
export type ToldEvent = Pick<RecentEvent, "at" | "level" | "message">;

/** What the view knows of the service. */
export interface Look {
  readonly url: string;
  /** Undefined before the first answer; the last one if there is none now. */
  readonly status: StatusReport | undefined;
  readonly events: readonly ToldEvent[];
  /** Why there is no answer now, and since when, Unix seconds. */
  readonly absent: { readonly reason: string; readonly since: number } | undefined;
  /** Rows a second at each look. */
  readonly stored: readonly number[];
  /** Seconds, as the last minute went; undefined if they do not fill. */
  readonly spoolFullIn: number | undefined;
}

/** Looks kept: as many as the widest screen shows. */
const KEPT = 400;

/** Puts what is told each second together with what was told before. */
export class Looks {
  readonly #url: () => string;
  readonly #growth = new LogGrowth();
  #look: Look;

  constructor(url: () => string) {
    this.#url = url;
    this.#look = {
      ...{ url: url(), status: undefined, events: [], absent: undefined, stored: [], spoolFullIn: undefined },
    };
  }

  get last(): Look {
    return this.#look;
  }

  /** @param now monotonic milliseconds */
  seen(status: StatusReport, events: readonly ToldEvent[], now: number): void {
    this.#look = {
      url: this.#url(),
      status,
      events,
      absent: undefined,
      stored: [...this.#look.stored, status.rates.stored].slice(-KEPT),
      spoolFullIn: this.#spoolFullIn(Object.values(status.spool ?? {}), now),
    };
  }

  /** @param at Unix seconds */
  missed(reason: string, at: number): void {
    this.#look = {
      ...this.#look,
      url: this.#url(),
      absent: { reason, since: this.#look.absent?.since ?? at },
    };
  }

  #spoolFullIn(
    spools: readonly { readonly bytes: number; readonly max: number }[],
    now: number,
  ): number | undefined {
    const bytes = spools.reduce((all, each) => all + each.bytes, 0);
    const max = spools.reduce((all, each) => all + each.max, 0);
    this.#growth.sample(now, { bytes, free: 0 });
    return this.#growth.secondsUntil(max - bytes, 0);
  }
}
