import { formatDuration, formatPercent } from "../base/units.js";
import type { DegradeStep } from "./degrade.js";
import type { ConfigIssue } from "./layers.js";
import type { Config } from "./schema.js";

/** Steps come in this order; a step of one rank may be repeated only where its intervals rise. */
const RANK: Readonly<Record<DegradeStep["do"], number>> = {
  dedup: 0,
  sample: 1,
  conflate: 2,
  drop_quotes: 3,
  drop_trades: 4,
  drop: 4,
};

type TableConfig = Pick<Config["tables"][string], "class" | "policy" | "degrade">;

/** Contradictions within a table's ladder, and between it and what else is said of the table. */
export function ladderIssues(table: string, { class: kind, policy, degrade }: TableConfig): ConfigIssue[] {
  const path = `tables.${table}.degrade`;
  if (degrade.length === 0) return [];
  if (kind === "critical") {
    const message = "is for best_effort tables: a critical row is never left out, it waits in the log";
    return [{ path, message }];
  }
  const issues: ConfigIssue[] = [];
  for (const [index, step] of degrade.entries()) {
    const at = `${path}.${index}`;
    issues.push(...stepIssues(at, step, table));
    const before = degrade[index - 1];
    if (before !== undefined) issues.push(...orderIssues(at, before, step));
  }
  if (RANK[degrade.at(-1)!.do] < RANK.drop) {
    const last = table === "market_data" ? "drop_trades" : "drop";
    issues.push({ path, message: `ends without ${last}: a full table has to drop rows in the end` });
  }
  if (table !== "market_data") issues.push(...seriesIssues(table, { policy, degrade }));
  return issues;
}

function stepIssues(path: string, step: DegradeStep, table: string): ConfigIssue[] {
  const { do: action, every, enter, leave } = step;
  const issues: ConfigIssue[] = [];
  const takesEvery = action === "sample" || action === "conflate";
  if (takesEvery && every === undefined)
    issues.push({ path: `${path}.every`, message: `${action} needs an interval, such as 50ms` });
  if (!takesEvery && every !== undefined)
    issues.push({ path: `${path}.every`, message: `${action} has no interval: leave it out` });
  if (enter === undefined && RANK[action] < RANK.drop_quotes)
    issues.push({
      path: `${path}.enter`,
      message: `${action} needs a pressure to be entered at, such as 60%`,
    });
  if (enter !== undefined && leave >= enter) {
    const message = `must be below enter, ${formatPercent(enter)}: the level would be left as soon as it is entered`;
    issues.push({ path: `${path}.leave`, message });
  }
  if (table === "market_data" && action === "drop")
    issues.push({ path: `${path}.do`, message: "market_data has drop_quotes and drop_trades for this" });
  if (table !== "market_data" && (action === "drop_quotes" || action === "drop_trades"))
    issues.push({ path: `${path}.do`, message: `is for market_data; ${table} has drop for this` });
  return issues;
}

function orderIssues(path: string, before: DegradeStep, step: DegradeStep): ConfigIssue[] {
  const issues: ConfigIssue[] = [];
  const ranks = [RANK[before.do], RANK[step.do]] as const;
  const last = before.every ?? 0;
  if (ranks[1] < ranks[0]) {
    const message = `${step.do} comes before ${before.do}: a ladder goes from the gentlest step to the hardest`;
    issues.push({ path: `${path}.do`, message });
  } else if (step.every !== undefined && step.every <= last) {
    const message = `must be above ${formatDuration(last)}, that of the step before: intervals rise`;
    issues.push({ path: `${path}.every`, message });
  } else if (ranks[1] === ranks[0] && step.every === undefined && before.every === undefined)
    issues.push({ path: `${path}.do`, message: `${step.do} stands there twice` });
  if (before.enter === undefined && step.enter !== undefined)
    issues.push({ path: `${path}.enter`, message: "the step before has none: leave it out here, too" });
  else if (before.enter !== undefined && step.enter !== undefined && step.enter <= before.enter) {
    const message = `must be above ${formatPercent(before.enter)}, that of the step before`;
    issues.push({ path: `${path}.enter`, message });
  }
  if (step.leave < before.leave) {
    const message = `must be at least ${formatPercent(before.leave)}, that of the step before`;
    issues.push({ path: `${path}.leave`, message });
  }
  return issues;
}

/** A table of another kind says itself what its steps go by. */
function seriesIssues(
  table: string,
  { policy, degrade }: Pick<TableConfig, "policy" | "degrade">,
): ConfigIssue[] {
  const has = (...actions: readonly string[]): boolean => degrade.some((step) => actions.includes(step.do));
  const issue = (key: string, message: string): ConfigIssue => ({
    path: `tables.${table}.policy.${key}`,
    message: `${message}, for degrade`,
  });
  const issues: ConfigIssue[] = [];
  if (has("dedup", "sample", "conflate")) {
    if (policy.by.length === 0)
      issues.push(issue("by", `names the columns that tell one series of ${table} from another`));
    if (policy.news.length === 0)
      issues.push(issue("news", `names the columns of ${table} whose change makes a row news`));
  }
  if (has("sample", "conflate") && policy.time === "")
    issues.push(issue("time", `names the time column of ${table} that intervals are counted by`));
  return issues;
}
