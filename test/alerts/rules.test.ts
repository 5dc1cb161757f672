import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { ALERTS } from "../../scripts/alerts/alerts.js";
import { runbookOf } from "../../scripts/alerts/rules.js";
import { buildProgram } from "../../src/cli/program.js";
import { CATALOGUE } from "../../src/metrics/catalogue.js";
import { panelsOf } from "../dashboards/panels.js";

const RUNBOOKS = "docs/runbooks";
const PANELS = new Set(panelsOf("coldpath-recorder").map(({ title }) => title));
const labelsOf = new Map<string, readonly string[]>(CATALOGUE.map(({ name, labels }) => [name, labels]));

test("each alert asks for metrics and labels that are there", () => {
  for (const { name, expr } of ALERTS) {
    const text = expr((seconds) => `${seconds}s`);
    const asked = [
      ...text.matchAll(/\b((?:recorder|coldpath)_\w+?)(?:_bucket|_sum|_count)?(?:\{([^}]*)\})?(?![\w{])/g),
    ];
    assert.ok(asked.length > 0 || text.includes("up{"), `${name} asks for nothing of ours`);
    for (const [, metric = "", matchers = ""] of asked) {
      const labels = labelsOf.get(metric);
      assert.ok(labels !== undefined, `${name} asks for ${metric}`);
      for (const [, label = ""] of matchers.matchAll(/(\w+)(?:=~|!~|!=|=)"/g))
        assert.ok(labels.includes(label), `${name} asks for ${label} of ${metric}`);
    }
  }
});

test("texts of an alert name labels that it has", () => {
  for (const {
    name,
    summary,
    test: { fires },
  } of ALERTS) {
    const given = new Set(Object.values(fires).flatMap((labels) => Object.keys(labels)));
    for (const [, label = ""] of summary.matchAll(/\$labels\.(\w+)/g))
      assert.ok(given.has(label), `${name} tells of ${label}`);
  }
});

test("each alert has a runbook and each runbook an alert, and names commands that there are", async () => {
  const pages = readdirSync(RUNBOOKS).filter((file) => file !== "README.md");
  assert.deepEqual(pages.sort(), ALERTS.map((alert) => `${runbookOf(alert)}.md`).sort());
  const program = await buildProgram();
  const index = readFileSync(`${RUNBOOKS}/README.md`, "utf8");
  for (const alert of ALERTS) {
    const page = `${runbookOf(alert)}.md`;
    const text = readFileSync(`${RUNBOOKS}/${page}`, "utf8");
    assert.ok(text.startsWith(`# ${alert.name}\n\n**${alert.severity}.** `), page);
    assert.ok(index.includes(`[${alert.name}](${page}) | ${alert.severity}`), page);
    for (const heading of ["What is at stake", "Look at", "Do", "It is over when"])
      assert.ok(text.includes(`\n## ${heading}\n`), `${page} lacks ${heading}`);
    for (const [, panels = ""] of text.matchAll(/\bpanels? (\*[^:;\n]*\*)/g))
      for (const [, panel = ""] of panels.matchAll(/\*([^*]+)\*/g))
        assert.ok(PANELS.has(panel), `${page} names the panel ${panel}`);
    for (const [, words = ""] of text.matchAll(/`coldpath ([a-z-]+(?: [a-z-]+)?)/g)) {
      const [first, second] = words.split(" ");
      const command = program.commands.find((each) => each.name() === first);
      assert.ok(command !== undefined, `${page} names coldpath ${first}`);
      if (command.commands.length > 0)
        assert.ok(
          command.commands.some((each) => each.name() === second),
          `${page} names coldpath ${words}`,
        );
    }
    for (const [, link = ""] of text.matchAll(/\]\(([^)#]+)[^)]*\)/g))
      assert.ok(existsSync(`${RUNBOOKS}/${link}`), `${page} links to ${link}`);
  }
});
