import type { RecorderEvent } from "../recorder.js";
import type { MetricsSource } from "./source.js";

/** Counts what a recorder tells of itself, by kind: as many series as there are kinds. */
export class EventCounts implements Pick<MetricsSource, "events" | "incidents"> {
  readonly events = new Map<string, number>();
  /** Threads of the log that died. */
  logRestarts = 0;
  readonly #incidents = new Map<string, MetricsSource["incidents"][number]>();

  get incidents(): MetricsSource["incidents"] {
    return [...this.#incidents.values()];
  }

  /** @param kinds that are counted from the start: a series that begins at 1 has not grown, as Prometheus sees it */
  constructor(kinds: readonly RecorderEvent["kind"][] = []) {
    for (const kind of kinds) this.events.set(kind, 0);
  }

  add(event: RecorderEvent): void {
    this.events.set(event.kind, (this.events.get(event.kind) ?? 0) + 1);
    if (event.kind === "wal_recovered" && event.cause === "thread") this.logRestarts += 1;
    if (event.kind !== "incident") return;
    const { table, name: incident } = event;
    const key = `${table}/${incident}`;
    const count = (this.#incidents.get(key)?.count ?? 0) + 1;
    this.#incidents.set(key, { table, incident, count });
  }
}
