import { stringify } from "yaml";
import type { Alert, Span } from "./alert.js";
import { ALERTS } from "./alerts.js";

const RUNBOOKS = "docs/runbooks";
const TEST_INTERVAL = "1m";

/** As the rules are shipped. */
const PLAIN: Span = (seconds) => `${seconds}s`;

/** `ColdpathNotLanding` → `not-landing`, under which its runbook stands. */
export function runbookOf({ name }: Pick<Alert, "name">): string {
  return name
    .slice("Coldpath".length)
    .replace("ClickHouse", "Clickhouse")
    .replace(/(?!^)([A-Z])/g, "-$1")
    .toLowerCase();
}

interface RulesOptions {
  /** For a proof: shorter spans, in whole seconds. */
  readonly span?: Span;
  /** Unit tests know labels, and not the values that texts are filled with. */
  readonly withTexts?: boolean;
}

/** The rule file. */
export function rulesFile({ span = PLAIN, withTexts = true }: RulesOptions = {}): string {
  const rules = ALERTS.map((alert) => ({
    alert: alert.name,
    expr: alert.expr(span),
    ...(alert.for === 0 ? {} : { for: span(alert.for) }),
    labels: { severity: alert.severity },
    ...(withTexts ? { annotations: annotationsOf(alert) } : {}),
  }));
  return stringify({ groups: [{ name: "coldpath", rules }] }, { lineWidth: 0 });
}

/** What `promtool test rules` runs: each alert by itself, silent, firing and silent again. */
export function testsFile(rulesPath: string): string {
  const tests = ALERTS.map(({ name, test, severity }) => ({
    name,
    interval: TEST_INTERVAL,
    input_series: Object.entries(test.series).map(([series, values]) => ({ series, values })),
    alert_rule_test: [
      ...test.quiet.map((minute) => ({ eval_time: `${minute}m`, alertname: name, exp_alerts: [] })),
      ...Object.entries(test.fires).map(([minute, labels]) => ({
        eval_time: `${minute}m`,
        alertname: name,
        exp_alerts: [{ exp_labels: { ...labels, severity } }],
      })),
    ],
  }));
  return stringify({ rule_files: [rulesPath], evaluation_interval: TEST_INTERVAL, tests }, { lineWidth: 0 });
}

function annotationsOf(alert: Alert): Record<string, string> {
  return { summary: alert.summary, runbook: `${RUNBOOKS}/${runbookOf(alert)}.md` };
}
