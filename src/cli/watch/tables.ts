import type { StatusReport } from "../../admin/status-report.js";
import type { Paint } from "../../base/paint.js";
import type { TableStats } from "../../recorder.js";
import { bar, type Glyphs } from "./bars.js";
import { type Line, type Span, span } from "./line.js";
import { ageText, countText, percentText } from "./numbers.js";

/** A table as it stands, with rows a second. */
type ShownTable = TableStats & { readonly rates: StatusReport["rates"]["tables"][string] };

/** One number of a table; columns that find no room are left out, those that are named last first. */
interface Column {
  readonly heading: string;
  readonly width: number;
  readonly cell: (table: ShownTable) => Span;
}

const COLUMNS: readonly Column[] = [
  { heading: "in/s", width: 6, cell: ({ rates }) => count(rates.offered) },
  { heading: "stored/s", width: 8, cell: ({ rates }) => count(rates.stored) },
  { heading: "fresh", width: 6, cell: freshness },
  {
    heading: "pending",
    width: 7,
    cell: ({ pending, inherited }) => count(pending.rows + inherited.pending),
  },
  { heading: "dropped", width: 7, cell: ({ dropped }) => count(sumOf(dropped), "bad") },
  { heading: "lvl", width: 3, cell: ({ level }) => count(level.index, "warn") },
  { heading: "refused", width: 7, cell: ({ refused }) => count(sumOf(refused), "warn") },
  { heading: "letters", width: 7, cell: ({ deadLettered }) => count(deadLettered, "warn") },
  { heading: "thinned", width: 7, cell: ({ deduplicated, sampled }) => count(deduplicated + sampled) },
  { heading: "stored", width: 7, cell: ({ stored }) => count(stored) },
  { heading: "pressure", width: 14, cell: pressure },
  { heading: "step", width: 16, cell: ({ level }) => span(level.index === 0 ? "-" : level.step, "warn") },
];

const BAR_MIN = 8;
const BAR_MAX = 40;
const PERCENT = 5;

/** A line for each table that finds room; those left out are told of. */
export function tableLines(
  { tables, rates }: StatusReport,
  width: number,
  height: number,
  glyphs: Glyphs,
): Line[] {
  const named = Object.entries(tables).map(
    ([each, table]) => [each, { ...table, rates: rates.tables[each]! }] as const,
  );
  const name = Math.max(5, ...named.map(([each]) => each.length));
  const columns = columnsFor(width - name - 1 - BAR_MIN - PERCENT);
  const taken = columns.reduce((sum, column) => sum + 1 + column.width, 0);
  const barWidth = Math.max(0, Math.min(BAR_MAX, width - name - 1 - PERCENT - taken));
  const heading = `${"table".padEnd(name)} ${"queue".padEnd(barWidth + PERCENT)}`;
  const headings = columns.map((column) => ` ${column.heading.padStart(column.width)}`).join("");
  const fits = named.length <= height - 1 ? named.length : Math.max(0, height - 2);
  const shown = fits === named.length ? named : troubled(named).slice(0, fits);
  const lines = shown.map(([each, table]) => [
    span(`${each.padEnd(name)} `, table.paused === undefined ? undefined : "bad"),
    ...bar(table.usage, barWidth, glyphs),
    span(percentText(table.usage).padStart(PERCENT)),
    ...columns.map((column) => padded(column.cell(table), column.width)),
  ]);
  const more = named.length - shown.length;
  return [
    [span(heading + headings, "strong")],
    ...lines,
    ...(more > 0 ? [[span(`and ${more} quieter tables`, "dim")]] : []),
  ];
}

function columnsFor(room: number): readonly Column[] {
  let left = room;
  return COLUMNS.filter(({ width }) => {
    left -= 1 + width;
    return left >= 0;
  });
}

/** What is to be seen first if not all is: the fullest queue, then the busiest table. */
function troubled(
  tables: readonly (readonly [string, ShownTable])[],
): readonly (readonly [string, ShownTable])[] {
  return tables.toSorted(
    ([, one], [, other]) =>
      Number(other.paused !== undefined) - Number(one.paused !== undefined) ||
      other.usage - one.usage ||
      other.rates.offered - one.rates.offered,
  );
}

/** Zero is nothing to see. */
function count(value: number, as?: keyof Paint): Span {
  return span(countText(value), value === 0 ? "dim" : as);
}

/** How old the oldest row was that was stored last, or the oldest is that waits. */
function freshness({ freshnessSeconds, oldestSeconds }: TableStats): Span {
  if (freshnessSeconds === undefined && oldestSeconds === undefined) return span("-", "dim");
  return span(ageText(Math.max(freshnessSeconds ?? 0, oldestSeconds ?? 0)));
}

function pressure({ pressure: { value, cause } }: TableStats): Span {
  return span(`${percentText(value)} ${cause}`, value >= 0.5 ? "warn" : "dim");
}

function padded({ text, as }: Span, width: number): Span {
  return span(` ${text.padStart(width)}`, as);
}

function sumOf(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, each) => sum + each, 0);
}
