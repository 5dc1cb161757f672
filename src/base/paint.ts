/** How a text for people marks what matters, on a terminal or anywhere else. */
export interface Paint {
  readonly strong: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly good: (text: string) => string;
  readonly warn: (text: string) => string;
  readonly bad: (text: string) => string;
}

/** Marks nothing: for files, pipes and HTTP. */
export const PLAIN: Paint = { strong: asIs, dim: asIs, good: asIs, warn: asIs, bad: asIs };

/** Marks by the escape sequences that every terminal knows. */
export const COLOURED: Paint = {
  strong: between(1, 22),
  dim: between(2, 22),
  good: between(32, 39),
  warn: between(33, 39),
  bad: between(31, 39),
};

function asIs(text: string): string {
  return text;
}

function between(on: number, off: number): (text: string) => string {
  return (text) => (text === "" ? "" : `\u001b[${on}m${text}\u001b[${off}m`);
}
