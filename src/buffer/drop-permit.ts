/** Which rows of a table may be dropped to make room for others: those that a policy may thin out go first, or all. */
export type Droppable = "nothing" | "first" | "all";
