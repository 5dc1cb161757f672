import type { Clock } from "./base/clock.js";
import { Notes, type NoteTaker, type Written } from "./gaps/notes.js";
import { HealthNotes } from "./health/health-notes.js";
import type { Row } from "./native/block.js";
import { levelRow } from "./overload/level-row.js";
import type { RecorderEvent } from "./recorder-options.js";
import { linkRow } from "./sink/link-row.js";
import { viewsRow } from "./sink/views-row.js";

/** What a recorder writes of itself into `system_events`. */
export class RecorderNotes {
  readonly #clock: Clock;
  readonly #notes: Notes;
  readonly #health: HealthNotes;

  /** @param taker undefined if there is no such table: then nothing is written */
  constructor(clock: Clock, taker: () => NoteTaker | undefined) {
    this.#clock = clock;
    this.#notes = new Notes(clock, taker);
    this.#health = new HealthNotes(clock, (row) => this.#notes.add(row));
  }

  /** Writes those events that are kept. */
  event(event: RecorderEvent): void {
    if (event.kind === "level") this.#notes.add(levelRow(event, this.#clock.wall()));
    if (event.kind === "link") this.#notes.add(linkRow(event, this.#clock.wall()));
    if (event.kind === "views_doubtful" && event.rows > 0)
      this.#notes.add(viewsRow(event, this.#clock.wall()));
    if (event.kind === "condition" || event.kind === "conservation") this.#health.add(event);
  }

  /** Writes a row as soon as there is room for it. */
  add(row: Row): void {
    this.#notes.add(row);
  }

  /** Writes a row now; undefined if there is no room for it. */
  write(row: Row): Written | undefined {
    return this.#notes.write(row);
  }

  /** Writes what waits, as far as there is room. */
  close(): void {
    this.#health.close();
    this.#notes.close();
  }
}
