import type { Logger } from "pino";
import { systemClock } from "../base/clock.js";
import { EVENT_KINDS, eventMessage } from "../live/event-message.js";
import { RecentEvents, type Told } from "../live/recent-events.js";
import { EventCounts } from "../metrics/event-counts.js";
import type { RecorderEvent } from "../recorder.js";
import { eventLevel } from "./event-level.js";
import { Repeats } from "./repeats.js";
import { runbookFor } from "./runbook.js";

/** Where everything goes that a service tells of itself: its log, the recent events, the counts of a scrape. */
export class Teller {
  readonly events: RecentEvents = new RecentEvents();
  readonly counts: EventCounts = new EventCounts(EVENT_KINDS);
  readonly #lines: Repeats;

  constructor(log: Pick<Logger, Told["level"]>) {
    this.#lines = new Repeats(systemClock, ({ kind, level, message, fields }) =>
      log[level]({ event: kind, ...fields }, message),
    );
  }

  report(event: RecorderEvent): void {
    const { kind, ...told } = event;
    const runbook = runbookFor(event);
    const fields = runbook === undefined ? told : { ...told, runbook };
    this.counts.add(event);
    this.tell({ kind, level: eventLevel(event), message: eventMessage(event), fields });
  }

  tell(told: Told): void {
    this.#lines.tell(told);
    this.events.add(told);
  }

  /** Lines that are held back are written: at the end nothing is lost. */
  flush(): void {
    this.#lines.flush();
  }
}
