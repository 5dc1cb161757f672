import type { Sample } from "../test/overload/stress/messages.js";

/** One line of a chart, a value for each second. */
interface Line {
  readonly name: string;
  readonly color: string;
  readonly values: readonly number[];
}

interface Panel {
  readonly title: string;
  /** Values that are marked, the last at the top, and their names. */
  readonly marks: readonly (readonly [value: number, name: string])[];
  readonly isLogarithmic?: boolean;
  readonly lines: readonly Line[];
}

/** What a second of a run came to. */
export interface Second {
  readonly phase: string;
  /** Seconds since the first sample. */
  readonly at: number;
  readonly offered: number;
  readonly stored: number;
  readonly level: number;
  readonly memory: number;
  readonly rssBytes: number;
}

const WIDTH = 960;
const PANEL = 150;
const GAP = 46;
const LEFT = 70;
const RIGHT = 20;
const MIB = 2 ** 20;

/** Samples, second by second: rates between, the most of the others. */
export function secondsOf(samples: readonly Sample[]): Second[] {
  const seconds: Second[] = [];
  let first = samples[0];
  let group: Sample[] = [];
  for (const sample of samples) {
    group.push(sample);
    if (first === undefined || sample.at - first.at < 1000) continue;
    const passed = (sample.at - first.at) / 1000;
    seconds.push({
      phase: sample.phase,
      at: (sample.at - samples[0]!.at) / 1000,
      offered: (sample.offered - first.offered) / passed,
      stored: (sample.stored - first.stored) / passed,
      level: Math.max(...group.map(({ level }) => level)),
      memory: Math.max(...group.map(({ memory }) => memory)),
      rssBytes: Math.max(...group.map(({ rssBytes }) => rssBytes)),
    });
    first = sample;
    group = [];
  }
  return seconds;
}

/** Rates, level and memory over time, one under the other, with the phases; for light and dark pages. */
export function overloadChart(seconds: readonly Second[]): string {
  const most = Math.max(...seconds.map(({ rssBytes }) => rssBytes)) / MIB;
  const panels: Panel[] = [
    {
      title: "rows/s of market data",
      marks: [
        [1, "1"],
        [1_000, "1k"],
        [1_000_000, "1M"],
      ],
      isLogarithmic: true,
      lines: [
        { name: "offered", color: "#d97706", values: seconds.map(({ offered }) => offered) },
        { name: "stored", color: "#2563eb", values: seconds.map(({ stored }) => stored) },
      ],
    },
    {
      title: "level",
      marks: [
        [0, "normal"],
        [7, "7"],
      ],
      lines: [{ name: "", color: "#dc2626", values: seconds.map(({ level }) => level) }],
    },
    {
      title: "memory",
      marks: [
        [0, "0"],
        [most, `${Math.round(most)} MiB`],
      ],
      lines: [
        { name: "process", color: "#7c3aed", values: seconds.map(({ rssBytes }) => rssBytes / MIB) },
        { name: "rows held", color: "#059669", values: seconds.map(({ memory }) => memory / MIB) },
      ],
    },
  ];
  const times = seconds.map(({ at }) => at);
  const height = panels.length * (PANEL + GAP) + GAP;
  const parts = panels.map((panel, place) => panelSvg(panel, times, GAP + place * (PANEL + GAP)));
  const style = "text{font:12px sans-serif;fill:#6b7280}line{stroke:#9ca3af;stroke-opacity:.4}";
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}"><style>${style}</style>
${phasesSvg(seconds, times, height)}
${parts.join("\n")}
</svg>
`;
}

function xOf(at: number, times: readonly number[]): number {
  return LEFT + ((WIDTH - LEFT - RIGHT) * at) / Math.max(1, times.at(-1) ?? 1);
}

function panelSvg(
  { title, marks, isLogarithmic, lines }: Panel,
  times: readonly number[],
  top: number,
): string {
  const scaled = (value: number): number => (isLogarithmic === true ? Math.log10(Math.max(1, value)) : value);
  const most = scaled(marks.at(-1)![0]);
  const y = (value: number): number => top + PANEL - (PANEL * Math.min(scaled(value), most)) / most;
  const paths = lines.map(({ color, values }) => {
    const points = values.map(
      (value, place) => `${xOf(times[place]!, times).toFixed(1)},${y(value).toFixed(1)}`,
    );
    return `<polyline fill="none" stroke="${color}" stroke-width="1.5" points="${points.join(" ")}"/>`;
  });
  const names = lines.map(
    ({ name, color }, place) =>
      `<text x="${LEFT + 160 + place * 90}" y="${top - 8}" style="fill:${color}">${name}</text>`,
  );
  const lined = marks.map(
    ([value, name]) =>
      `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y(value)}" y2="${y(value)}"/>` +
      `<text x="${LEFT - 6}" y="${y(value) + 4}" text-anchor="end">${name}</text>`,
  );
  return [`<text x="${LEFT}" y="${top - 8}">${title}</text>`, ...names, ...lined, ...paths].join("\n");
}

/** A line where each phase begins, with its name, and how long it all took. */
function phasesSvg(seconds: readonly Second[], times: readonly number[], height: number): string {
  const begins = seconds.filter(({ phase }, place) => phase !== seconds[place - 1]?.phase);
  const lines = begins.map(({ phase, at }) => {
    const x = xOf(at, times).toFixed(1);
    return `<line x1="${x}" x2="${x}" y1="20" y2="${height - GAP}"/><text x="${x}" y="14">${phase}</text>`;
  });
  const end = `<text x="${WIDTH - RIGHT}" y="${height - GAP + 16}" text-anchor="end">${Math.round(times.at(-1) ?? 0)} s</text>`;
  return [...lines, end].join("\n");
}
