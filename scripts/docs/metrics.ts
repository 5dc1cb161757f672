import { CATALOGUE } from "../../src/metrics/catalogue.js";

/** The reference page of all metrics. */
export function metricsPage(): string {
  const rows = CATALOGUE.map(({ name, type, labels, help }) => {
    const series = labels.length === 0 ? name : `${name}{${labels.join(",")}}`;
    return `| \`${series}\` | ${type} | ${help.replaceAll("|", "\\|")} |`;
  });
  return `# Metrics

Source: \`src/metrics/catalogue.ts\`. \`GET /metrics\` of a service gives them in the text format of Prometheus, with the process metrics
that all Node.js programs have (\`process_…\`, \`nodejs_…\`: CPU, memory, garbage collection, delay of the event loop).

Counters count since the start of the process. Units are seconds, bytes, rows and shares from 0 to 1. The labels \`table\`, \`reason\`,
\`outcome\`, \`state\`, \`class\` and \`event\` have as many values as there are tables and kinds; no label has values from the data, so 50,000
symbols make no more series than one. Reading them costs the pipeline nothing but the reading: it counts for itself anyway.

| series | type | meaning |
|---|---|---|
${rows.join("\n")}
`;
}
