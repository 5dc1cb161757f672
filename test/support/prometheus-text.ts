import assert from "node:assert/strict";

export interface Family {
  readonly type: string;
  readonly help: string;
  /** By what stands before the value, labels in the order of their names: `name{a="1",b="2"}`. */
  readonly series: Map<string, number>;
}

/** Reads the text format of Prometheus as its documentation tells it; strict about what a scraper would complain of. */
export function readPrometheusText(text: string): Map<string, Family> {
  const families = new Map<string, Family>();
  const helps = new Map<string, string>();
  for (const line of text.split("\n")) {
    const comment = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line);
    if (comment?.[1] === "HELP") helps.set(comment[2]!, comment[3]!);
    else if (comment !== null) {
      assert.ok(!families.has(comment[2]!), `${comment[2]} is told twice`);
      families.set(comment[2]!, { type: comment[3]!, help: helps.get(comment[2]!) ?? "", series: new Map() });
    } else if (line !== "") {
      const [, name, labels = "", value] =
        /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/.exec(line) ?? assert.fail(line);
      const family = families.get(name!) ?? families.get(name!.replace(/_(bucket|sum|count)$/, ""));
      assert.ok(family !== undefined, `${name} has no type`);
      const sorted = [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([pair]) => pair).sort();
      const series = sorted.length === 0 ? name! : `${name}{${sorted.join(",")}}`;
      assert.ok(!family.series.has(series), `${series} is there twice`);
      family.series.set(series, numberOf(value!));
    }
  }
  return families;
}

function numberOf(text: string): number {
  if (text === "+Inf") return Number.POSITIVE_INFINITY;
  if (text === "-Inf") return Number.NEGATIVE_INFINITY;
  const value = Number(text);
  assert.ok(text === "NaN" || !Number.isNaN(value), `${text} is no number`);
  return value;
}
