import { mkdirSync, writeFileSync } from "node:fs";
import { machine } from "./measure.js";

export interface Report {
  readonly name: string;
  readonly command: string;
  /** What the table shows and how to read its columns. */
  readonly note?: string;
  readonly headings: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Raw figures behind the table. */
  readonly figures: unknown;
}

/** A Markdown table whose columns stand under each other in plain text too. */
export function tableText(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = headings.map((heading, i) => Math.max(heading.length, ...rows.map((row) => row[i]!.length)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join(" | ")} |`;
  const rule = `|${widths.map((width, i) => (i === 0 ? "-".repeat(width + 2) : `${"-".repeat(width + 1)}:`)).join("|")}|`;
  return [line(headings), rule, ...rows.map(line)].join("\n");
}

/** Prints the table and writes it, with the machine and the raw figures, to `docs/results/NAME.json` and `.md`. */
export function publish({ name, command, note, headings, rows, figures }: Report): void {
  const table = tableText(headings, rows);
  const { cpu, cores, memoryGiB, kernel, node } = machine();
  const where = `${cores} cores of ${cpu}, ${memoryGiB} GiB, Linux ${kernel}, Node ${node}`;
  console.log(`\n${table}\n\n${where}`);
  mkdirSync("docs/results", { recursive: true });
  writeFileSync(
    `docs/results/${name}.json`,
    `${JSON.stringify({ command, machine: machine(), figures }, null, 2)}\n`,
  );
  writeFileSync(
    `docs/results/${name}.md`,
    `# ${name}\n\n\`${command}\` on ${where}.\n\n${note === undefined ? "" : `${note}\n\n`}${table}\n`,
  );
}
