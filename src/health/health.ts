/** Something that is looked at again and again. */
export interface Watched {
  /** Not called within a step of the pipeline. */
  look(): void;
}

/** Looks at what must hold of a running recorder, between two steps of its pipeline. */
export class Health {
  readonly #watched: () => Iterable<Watched>;
  #isLooking = false;

  constructor(watched: () => Iterable<Watched>) {
    this.#watched = watched;
  }

  /** A batch is due or through: looks once the step that it is part of is over. */
  lookSoon(): void {
    if (this.#isLooking) return;
    this.#isLooking = true;
    setImmediate(() => {
      this.#isLooking = false;
      this.look();
    });
  }

  look(): void {
    for (const each of this.#watched()) each.look();
  }
}
