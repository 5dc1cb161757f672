import { mkdirSync, writeFileSync } from "node:fs";
import { machine } from "./measure.js";

export interface Report {
  readonly name: string;
  readonly command: string;
  /** What the tables show and how to read their columns. */
  readonly note?: string;
  readonly tables: readonly Table[];
  /** Raw figures behind the tables. */
  readonly figures: unknown;
}

export interface Table {
  /** Above the table, where there are several. */
  readonly title?: string;
  readonly headings: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** A Markdown table whose columns stand under each other in plain text too. */
export function tableText(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = headings.map((heading, i) => Math.max(heading.length, ...rows.map((row) => row[i]!.length)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join(" | ")} |`;
  const rule = `|${widths.map((width, i) => (i === 0 ? "-".repeat(width + 2) : `${"-".repeat(width + 1)}:`)).join("|")}|`;
  return [line(headings), rule, ...rows.map(line)].join("\n");
}

/** Prints the tables and writes them, with the machine, the day and the raw figures, to `docs/results/NAME.json` and `.md`. */
export function publish({ name, command, note, tables, figures }: Report): void {
  const texts = tables.map(({ title, headings, rows }) => {
    const table = tableText(headings, rows);
    return title === undefined ? table : `## ${title}\n\n${table}`;
  });
  const date = new Date().toISOString().slice(0, 10);
  const { cpu, cores, memoryGiB, kernel, node } = machine();
  const where = `${cores} cores of ${cpu}, ${memoryGiB} GiB, Linux ${kernel}, Node ${node}`;
  console.log(`\n${texts.join("\n\n")}\n\n${where}`);
  mkdirSync("docs/results", { recursive: true });
  writeFileSync(
    `docs/results/${name}.json`,
    `${JSON.stringify({ command, date, machine: machine(), figures }, null, 2)}\n`,
  );
  const head = `# ${name}\n\n\`${command}\` on ${where}, ${date}.`;
  writeFileSync(
    `docs/results/${name}.md`,
    `${[head, ...(note === undefined ? [] : [note]), ...texts].join("\n\n")}\n`,
  );
}
