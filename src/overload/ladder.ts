import assert from "node:assert";
import type { Droppable } from "../buffer/drop-permit.js";
import type { PolicyRules } from "../policy/policy.js";
import type { Thresholds } from "./levels.js";

/** What one step does, on top of those before it; a later interval takes the place of an earlier one. */
export interface LadderStep {
  readonly do: "dedup" | "sample" | "conflate" | "drop_quotes" | "drop_trades" | "drop";
  /** Interval of sample and conflate, milliseconds. */
  readonly every?: number | undefined;
  /** Pressure from which on it holds; without it, it is entered when room is needed that no gentler step makes. */
  readonly enter?: number | undefined;
  readonly leave: number;
  /** Milliseconds. */
  readonly stay: number;
}

/** How rows are thinned out at a level. */
export type LevelRules = Pick<PolicyRules, "dedup" | "sample" | "conflate">;

/** Level 0: as the user's policy has it. */
export const NORMAL: LevelRules = { dedup: "none", sample: 0, conflate: 0 };

const DROPS: Readonly<Partial<Record<LadderStep["do"], Droppable>>> = {
  drop_quotes: "first",
  drop_trades: "all",
  drop: "all",
};

/** The steps of a table's configuration, gentlest first, and what holds at each level; level n is that of the n-th step. */
export class Ladder {
  readonly steps: readonly LadderStep[];

  constructor(steps: readonly LadderStep[]) {
    assert(steps.length === 0 || DROPS[steps.at(-1)!.do] === "all", "the last step drops whatever there is");
    this.steps = steps;
  }

  get thresholds(): readonly Thresholds[] {
    return this.steps.map(({ enter = Infinity, leave, stay }) => ({ enter, leave, stay }));
  }

  /** The name of a level: `normal`, or what its step does. */
  nameOf(level: number): string {
    const step = this.steps[level - 1];
    if (step === undefined) return "normal";
    return step.every === undefined ? step.do : `${step.do} ${step.every}ms`;
  }

  rulesAt(level: number): LevelRules {
    let rules = NORMAL;
    for (const { do: action, every = 0 } of this.steps.slice(0, level)) {
      if (action === "dedup") rules = { ...rules, dedup: "bbo" };
      if (action === "sample") rules = { ...rules, sample: every };
      if (action === "conflate") rules = { ...rules, sample: 0, conflate: every };
    }
    return rules;
  }

  /** What may be dropped for others at a level. A table without steps drops its oldest rows. */
  droppableAt(level: number): Droppable {
    if (this.steps.length === 0) return "all";
    return this.steps.slice(0, level).reduce<Droppable>((most, step) => DROPS[step.do] ?? most, "nothing");
  }

  /** The next level that lets more be dropped than this one; undefined if none does. */
  dropsMoreThan(level: number): number | undefined {
    const now = this.droppableAt(level);
    for (let next = level + 1; next <= this.steps.length; next += 1)
      if (this.droppableAt(next) !== now) return next;
    return undefined;
  }
}

/** What leaves out the most of two sets of rules: the user's, and the level's on top. A user who conflates gets no samples. */
export function stricter<R extends PolicyRules>(user: R, level: LevelRules): R {
  const every = Math.max(user.sample, user.conflate, level.sample, level.conflate);
  const conflates = user.conflate > 0 || level.conflate > 0;
  return {
    ...user,
    dedup: user.dedup === "none" ? level.dedup : user.dedup,
    sample: conflates ? 0 : every,
    conflate: conflates ? every : 0,
  };
}
