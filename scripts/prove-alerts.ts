import { parseArgs } from "node:util";
import { publish } from "../bench/report.js";
import { Alerting, withoutPrometheus } from "../test/alerts/alerting.js";
import { Desk } from "../test/alerts/desk.js";
import { DRILLS } from "../test/alerts/faults.js";
import { type Proof, prove } from "../test/alerts/prove.js";
import { ALERTS } from "./alerts/alerts.js";

/**
 * Causes real faults at a service that a real Prometheus scrapes, and waits until a webhook of a real Alertmanager is told of each, and
 * told that it is over. `--only WORD` takes the faults whose text or alerts have the word. Exits 1 if an alert did not come or did not clear.
 */

const NOTE = `A service under load, its ClickHouse behind a proxy, a real Prometheus that scrapes it each second, a real Alertmanager, a webhook. The rules are those that are
shipped, with all spans 30 times shorter, at least 4 s: seconds are from the fault, or its end, until the webhook was told.`;

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { only: { type: "string" } } });
  const missing = withoutPrometheus();
  if (missing !== false) throw new Error(missing);
  const ends: (() => void | Promise<void>)[] = [];
  const t = { after: (end: () => void | Promise<void>) => void ends.unshift(end) };
  const proofs: Proof[] = [];
  try {
    const desk = await Desk.start(t);
    const alerting = await Alerting.start(t, desk.address);
    for (const drill of DRILLS) {
      const { fault, alerts } = drill;
      if (values.only !== undefined && !`${fault} ${alerts.join()}`.includes(values.only)) continue;
      console.error(fault);
      for (const proof of await prove(alerting, desk, drill)) {
        console.error(
          `  ${proof.alert}: fired ${shown(proof.firedAfter)}, cleared ${shown(proof.clearedAfter)}`,
        );
        proofs.push(proof);
      }
    }
  } finally {
    for (const end of ends) await end();
  }
  if (values.only === undefined) tell(proofs);
  if (proofs.some(({ firedAfter, clearedAfter }) => firedAfter === undefined || clearedAfter === undefined))
    process.exitCode = 1;
}

function tell(proofs: readonly Proof[]): void {
  const proved = new Set(proofs.map(({ alert }) => alert));
  const rest = ALERTS.filter(({ name }) => !proved.has(name));
  publish({
    name: "alerts",
    command: "npm run alerts:prove",
    note: NOTE,
    tables: [
      {
        headings: ["alert", "fault", "fires after s", "clears after s", "the webhook was told"],
        rows: proofs.map(({ alert, fault, firedAfter, clearedAfter, summary }) => [
          alert,
          fault,
          shown(firedAfter),
          shown(clearedAfter),
          summary ?? "–",
        ]),
      },
      {
        title: "Not caused here, by unit tests of the rules alone",
        headings: ["alert"],
        rows: rest.map(({ name }) => [name]),
      },
    ],
    figures: proofs,
  });
}

function shown(seconds: number | undefined): string {
  if (seconds === undefined) return "never";
  return seconds < 0 ? "before its end" : seconds.toFixed(1);
}

await main();
