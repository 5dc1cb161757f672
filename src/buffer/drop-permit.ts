/** Which rows of a table may be dropped to make room for others: those that a policy may thin out go first, or all. */
export type Droppable = "nothing" | "first" | "all";

/** Says what may be dropped, as the level of the table has it. */
export interface DropPermit {
  readonly droppable: Droppable;
  /**
   * Room is needed, and nothing that may be dropped is left: raises the level to the next that lets more be dropped. False if there is
   * none.
   *
   * @param reason the limit that was reached, such as `queue_full`
   */
  raise(reason: string): boolean;
}
