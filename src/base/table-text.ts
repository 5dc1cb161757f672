/** Lines up rows of cells under their headings; numbers, with a unit or without, stand to the right. */
export function tableText(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = headings.map((heading, i) => Math.max(heading.length, ...rows.map((row) => row[i]!.length)));
  const isNumber = headings.map(
    (_, i) => rows.length > 0 && rows.every((row) => /^-?[\d.,]*( ?(%|ms|s))?$/.test(row[i]!)),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, i) => (isNumber[i] ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)))
      .join("  ")
      .trimEnd();
  return [headings, ...rows].map(line).join("\n");
}
